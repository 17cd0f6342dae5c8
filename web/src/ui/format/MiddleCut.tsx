import classes from "./MiddleCut.module.css";

/** The end of a name that stays in sight: hosts of a fleet differ there. */
const TAIL_CHARACTERS = 8;

/** A text that loses its middle where there is no room for it. */
export function MiddleCut({ text }: { text: string }) {
  const at = Math.max(0, text.length - TAIL_CHARACTERS);
  return (
    <span className={classes.whole}>
      <span className={classes.head}>{text.slice(0, at)}</span>
      <span>{text.slice(at)}</span>
    </span>
  );
}
