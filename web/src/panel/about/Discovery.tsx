import type { ProcessAttributes } from "../../api/types";
import { foundByText, injectionText, languageText, listensText } from "../../ui/format/discovery";
import { UNKNOWN } from "../../ui/format/numbers";
import { brief } from "../../ui/format/text";
import classes from "./about.module.css";
import { Fact } from "./Fact";
import { Tags } from "./Tags";

/** What the agent has found out about a process; each is a filter, too. Without an agent that tells, nothing. */
export function Discovery({ attributes }: { attributes: ProcessAttributes }) {
  const { language, services, listens, tracers, instrumented, injection } = attributes;
  const tags = tagsOf(attributes);
  return (
    <>
      <dl className={classes.facts}>
        <Fact name="Language">{languageText(language)}</Fact>
        <Fact name="Listens on">{brief(listensText(listens), 1000)}</Fact>
        <Fact name="Services">
          {services === null ? UNKNOWN : services.length === 0 ? "none" : <Services services={services} />}
        </Fact>
        {tracers !== null && tracers.length > 0 && (
          <Fact name="Tracer">
            {tracers.map(({ runtime_id, service }) => (
              <div key={`${runtime_id} ${service ?? ""}`}>
                <bdi>{brief(service ?? UNKNOWN, 255)}</bdi> <span className={classes.quiet}>{brief(runtime_id, 255)}</span>
              </div>
            ))}
          </Fact>
        )}
        {instrumented !== null && <Fact name="Reports to an APM">{instrumented ? "yes" : "no"}</Fact>}
        {injection !== null && <Fact name="Tracer injected">{injectionText(injection)}</Fact>}
      </dl>
      {tags.length > 0 && <Tags tags={tags} label="Filters by what was found out" />}
    </>
  );
}

function Services({ services }: { services: NonNullable<ProcessAttributes["services"]> }) {
  return services.map(({ name, found_by }) => (
    <div key={`${name} ${found_by ?? ""}`}>
      <bdi>{brief(name, 255)}</bdi> <span className={classes.quiet}>{foundByText(found_by)}</span>
    </div>
  ));
}

const MOST_PORTS = 20;

/** As our own searches know them. */
function tagsOf({ language, services, listens }: ProcessAttributes): string[] {
  const ports = [...new Set([...(listens.tcp ?? []), ...(listens.udp ?? [])])].sort((one, other) => one - other);
  return [
    ...new Set([
      ...(language === null ? [] : [`language:${language}`]),
      ...ports.slice(0, MOST_PORTS).map((port) => `listens:${port}`),
      ...(services ?? []).map(({ name }) => `service:${name.toLowerCase()}`),
    ]),
  ];
}
