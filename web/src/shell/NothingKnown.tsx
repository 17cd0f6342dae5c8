import { useView } from "../state/useView";
import { Empty } from "./Empty";

/** In the place of what would be shown, where no host told of its processes: that is not as if there were none. */
export function NothingKnown() {
  const [view] = useView();
  const isNow = view.time.mode === "last" || view.time.mode === "live";
  return (
    <Empty title="Nothing is known of this moment">
      {isNow ? (
        <>
          Is an agent running? <code>procession up</code> watches this machine, and{" "}
          <code>procession agent --url … --api-key …</code> any other one. Who has not been heard of for a minute is
          not shown as running.
        </>
      ) : (
        "No agent had sent anything then of what was asked for. Move the slider to another time, or look at other hosts."
      )}
    </Empty>
  );
}
