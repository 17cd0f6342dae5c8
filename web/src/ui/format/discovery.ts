/** What agents have found out about a process, as texts. Null is not known; an empty list says that there is none. */

import type { ProcessAttributes } from "../../api/types";
import { UNKNOWN } from "./numbers";

const LANGUAGES: Readonly<Record<string, string>> = {
  java: "Java",
  node: "Node.js",
  python: "Python",
  ruby: "Ruby",
  dotnet: ".NET",
  go: "Go",
  cpp: "C++",
  php: "PHP",
};

export function languageText(language: string | null): string {
  return language === null ? UNKNOWN : (LANGUAGES[language] ?? language);
}

/** `80, 443, udp 53`. */
export function listensText({ tcp, udp }: ProcessAttributes["listens"]): string {
  if (tcp === null && udp === null) return UNKNOWN;
  return [...(tcp ?? []).map(String), ...(udp ?? []).map((port) => `udp ${port}`)].join(", ") || "none";
}

export function servicesText(services: ProcessAttributes["services"]): string {
  if (services === null) return UNKNOWN;
  return services.map(({ name }) => name).join(", ") || "none";
}

/** `command_line` -> `by command line`. */
export function foundByText(foundBy: string | null): string {
  return foundBy === null ? "" : `by ${foundBy === "dd_service" ? "DD_SERVICE" : foundBy.replaceAll("_", " ")}`;
}

export function injectionText(injection: string | null): string {
  return injection === null ? UNKNOWN : injection.replaceAll("_", " ");
}

/** The texts of an attribute that was found out; null for any other. */
export function discoveredTexts(attributes: ProcessAttributes, name: string): string[] | null {
  switch (name) {
    case "language":
      return [languageText(attributes.language)];
    case "services":
      return attributes.services?.map((one) => [one.name, foundByText(one.found_by)].filter(Boolean).join(" ")) ?? [];
    case "listens":
      return listensText(attributes.listens).split(", ");
    case "tracers":
      return attributes.tracers?.map((one) => [one.service, one.runtime_id].filter(Boolean).join(" ")) ?? [];
    case "instrumented":
      return [attributes.instrumented === null ? UNKNOWN : attributes.instrumented ? "yes" : "no"];
    case "injection":
      return [injectionText(attributes.injection)];
    default:
      return null;
  }
}
