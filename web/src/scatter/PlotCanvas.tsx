/** Dots on a canvas; where the pointer is, and which dot that means. */

import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";

import { CHART_INK, colorOf, type Scheme } from "../ui/charts/palette";
import { formatMeasure } from "../ui/format/measures";
import type { Dots } from "./dots";
import { Nearest, positionOf, scaleOf, ticksOf, type ScaleType, type Scale } from "./scales";
import classes from "./scatter.module.css";

const HEIGHT = 440;
const PADDING = { left: 86, right: 16, top: 12, bottom: 44 };
const RADIUS = 3.5;
const REACH = 14;

interface PlotCanvasProps {
  dots: Dots;
  xScale: ScaleType;
  yScale: ScaleType;
  scheme: Scheme;
  active: number | null;
  onHover: (dot: number | null) => void;
  onPick: (dot: number | null) => void;
  /** The card next to the active dot. */
  children?: ReactNode;
}

export function PlotCanvas({ dots, xScale, yScale, scheme, active, onHover, onPick, children }: PlotCanvasProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { x } = dots;
  const drawn = usePositions(dots, xScale, yScale, width);

  useEffect(() => {
    const element = canvas.current;
    if (element === null || width === 0 || !("CanvasRenderingContext2D" in window)) return;
    draw(element, width, { dots, drawn, scheme });
  }, [dots, drawn, scheme, width]);

  const dotAt = (event: PointerEvent): number | null => {
    const box = event.currentTarget.getBoundingClientRect();
    return drawn.nearest.at(event.clientX - box.left, event.clientY - box.top);
  };
  const step = (event: KeyboardEvent) => {
    const next = dotAfter(event.key, active, x.length - 1);
    if (next === undefined) return;
    onPick(next);
    event.preventDefault();
    event.stopPropagation();
  };
  const [left, top] = active === null ? [0, 0] : [drawn.xs[active] ?? 0, drawn.ys[active] ?? 0];
  return (
    <div className={classes.plot} ref={ref}>
      <canvas
        ref={canvas}
        className={classes.canvas}
        style={{ height: `${HEIGHT}px` }}
        role="img"
        aria-label={`${x.length} ${dots.noun} by ${dots.xAxis.label} and ${dots.yAxis.label}. Arrow keys go from one to the next; the table below has the greatest.`}
        tabIndex={0}
        onPointerMove={(event) => onHover(dotAt(event))}
        onPointerLeave={() => onHover(null)}
        onPointerDown={(event) => onPick(dotAt(event))}
        onKeyDown={step}
      />
      {active !== null && (
        <>
          <span className={classes.ring} style={{ transform: `translate(${left - 7}px, ${top - 7}px)` }} />
          <div
            className={classes.card}
            data-side={left > width / 2 ? "left" : "right"}
            style={
              left > width / 2
                ? { right: `${Math.max(width - left + 14, 4)}px`, top: `${Math.min(top, HEIGHT - 190)}px` }
                : { left: `${left + 14}px`, top: `${Math.min(top, HEIGHT - 190)}px` }
            }
          >
            {children}
          </div>
        </>
      )}
    </div>
  );
}

/** The dot that a key leads to, null for none; undefined for keys that lead nowhere. */
function dotAfter(key: string, active: number | null, last: number): number | null | undefined {
  if (last < 0) return undefined;
  if (key === "ArrowRight" || key === "ArrowDown") return active === null ? 0 : Math.min(active + 1, last);
  if (key === "ArrowLeft" || key === "ArrowUp") return active === null ? 0 : Math.max(active - 1, 0);
  return key === "Escape" && active !== null ? null : undefined;
}

/** Where each dot is, in pixels. */
interface Drawn {
  horizontal: Scale;
  vertical: Scale;
  xs: number[];
  ys: number[];
  plotWidth: number;
  plotHeight: number;
  nearest: Nearest;
}

function usePositions({ x, y, radii }: Dots, xScale: ScaleType, yScale: ScaleType, width: number): Drawn {
  return useMemo(() => {
    const [horizontal, vertical] = [scaleOf(x, xScale), scaleOf(y, yScale)];
    const plotWidth = Math.max(width - PADDING.left - PADDING.right, 10);
    const plotHeight = HEIGHT - PADDING.top - PADDING.bottom;
    const xs = x.map((value) => PADDING.left + positionOf(horizontal, value) * plotWidth);
    const ys = y.map((value) => PADDING.top + (1 - positionOf(vertical, value)) * plotHeight);
    return { horizontal, vertical, xs, ys, plotWidth, plotHeight, nearest: new Nearest(xs, ys, Math.max(REACH, ...(radii ?? []))) };
  }, [x, y, radii, xScale, yScale, width]);
}

interface Drawing extends Pick<PlotCanvasProps, "dots" | "scheme"> {
  drawn: Drawn;
}

function draw(canvas: HTMLCanvasElement, width: number, { dots, drawn, scheme }: Drawing): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = HEIGHT * ratio;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  drawAxes(context, dots, drawn, scheme);
  context.globalAlpha = 0.65;
  drawn.xs.forEach((left, dot) => {
    context.fillStyle = colorOf(dots.colors[dot] ?? null, scheme);
    context.beginPath();
    context.arc(left, drawn.ys[dot] ?? 0, dots.radii?.[dot] ?? RADIUS, 0, 2 * Math.PI);
    context.fill();
  });
  context.globalAlpha = 1;
}

function drawAxes(context: CanvasRenderingContext2D, { xAxis, yAxis }: Dots, drawn: Drawn, scheme: Scheme): void {
  const { text, grid } = CHART_INK[scheme];
  const { horizontal, vertical, plotWidth, plotHeight } = drawn;
  const base = (unit: string): 10 | 1024 => (unit.startsWith("bytes") ? 1024 : 10);
  context.font = "12px system-ui, sans-serif";
  context.strokeStyle = grid;
  context.fillStyle = text;
  context.lineWidth = 1;
  context.textAlign = "center";
  context.textBaseline = "top";
  const bottom = PADDING.top + plotHeight;
  for (const tick of ticksOf(horizontal, plotWidth / 90, base(xAxis.unit))) {
    const at = Math.round(PADDING.left + positionOf(horizontal, tick) * plotWidth) + 0.5;
    line(context, at, PADDING.top, at, bottom);
    context.fillText(formatMeasure(tick, xAxis.unit), at, bottom + 6);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticksOf(vertical, plotHeight / 50, base(yAxis.unit))) {
    const at = Math.round(PADDING.top + (1 - positionOf(vertical, tick)) * plotHeight) + 0.5;
    line(context, PADDING.left, at, PADDING.left + plotWidth, at);
    context.fillText(formatMeasure(tick, yAxis.unit), PADDING.left - 8, at);
  }
  context.textAlign = "center";
  context.font = "600 12px system-ui, sans-serif";
  context.fillText(xAxis.label, PADDING.left + plotWidth / 2, HEIGHT - 9);
  context.save();
  context.translate(11, PADDING.top + plotHeight / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(yAxis.label, 0, 0);
  context.restore();
}

function line(context: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
}
