import { describe, expect, it } from "vitest";
import { curlCommand, percentEncoded, shellQuoted } from "./curlCommand";

describe("curl", () => {
  it("leaves nothing to the shell in a quoted word", () => {
    expect(shellQuoted("a'b $(id) `id` \\ !x")).toBe(`'a'\\''b $(id) \`id\` \\ !x'`);
  });

  it("names the variable of the key, and no key", () => {
    expect(curlCommand("http://localhost:7171", "/api/procession/v1/processes/01", [["at", "12"]])).toBe(
      "curl -sG 'http://localhost:7171/api/procession/v1/processes/01' \\\n" +
        '  -H "Authorization: Bearer $DD_APP_KEY" \\\n' +
        "  --data-urlencode 'at=12'",
    );
  });

  it.each(["\u001b[201~\nid\n", "a\u202eb", "naïve", "a\tb", "\u0000"])("encodes %j whole", (text) => {
    const line = curlCommand("http://x", "/p", [["search", text]]);

    expect(line.replaceAll("\n", "")).toMatch(/^[ -~]*$/);
    expect(line).toContain(`--data 'search=${percentEncoded(text)}'`);
  });

  it("does not fail on half a character", () => {
    expect(percentEncoded("\ud800")).toBe("%EF%BF%BD");
  });

  it("encodes what a URL leaves but a shell does not", () => {
    expect(percentEncoded("a'b(c)*!")).toBe("a%27b%28c%29%2A%21");
  });
});
