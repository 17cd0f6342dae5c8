import { describe, expect, it } from "vitest";
import { csvCell, csvLine, escapeFormula } from "./csv";

describe("csv", () => {
  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])("puts an apostrophe before %j", (text) => {
    expect(escapeFormula(text)).toBe(`'${text}`);
  });

  it("leaves ordinary text alone", () => {
    expect(csvCell("java -jar shop.jar")).toBe("java -jar shop.jar");
  });

  it("quotes separators, quotes and line ends, and doubles quotes", () => {
    expect(csvCell('say "a,b"')).toBe('"say ""a,b"""');
    expect(csvCell("a;=1")).toBe('"a;=1"');
    expect(csvCell("a\r\n=1")).toBe('"a\r\n=1"');
  });

  it("neutralises before it quotes, so that the sign is not the first inside of the quotes", () => {
    expect(csvCell('=HYPERLINK("http://x","y")')).toBe('"\'=HYPERLINK(""http://x"",""y"")"');
  });

  it("keeps numbers as numbers and what is not known empty", () => {
    expect(csvLine([-5, 1.5, null, undefined, Number.NaN])).toBe("-5,1.5,,,\r\n");
  });
});
