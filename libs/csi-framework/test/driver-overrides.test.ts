import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import ts from "typescript";
import { expect, it } from "vitest";

const TESTS = fileURLToPath(new URL("../src/driver.test-d.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../tsconfig.json", import.meta.url));

/** What the compiler says to a file when nothing in it expects an error: line and text of each message. */
function messages(path: string): { readonly line: number; readonly text: string }[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(CONFIG, ts.sys.readFile).config,
    ts.sys,
    fileURLToPath(new URL("..", import.meta.url)),
  );
  const host = ts.createCompilerHost(options);
  const readFile = host.readFile.bind(host);
  host.readFile = (name) => (name === path ? readFile(name)?.replaceAll("@ts-expect-error", "") : readFile(name));
  host.getSourceFile = (name, language) => {
    const text = host.readFile(name);
    return text === undefined ? undefined : ts.createSourceFile(name, text, language);
  };
  const program = ts.createProgram([path], options, host);
  return ts.getPreEmitDiagnostics(program, program.getSourceFile(path)).map(({ file, start = 0, messageText }) => ({
    line: file?.getLineAndCharacterOfPosition(start).line ?? -1,
    text: ts.flattenDiagnosticMessageText(messageText, "\n"),
  }));
}

it("the compiler names the member that is overridden wrongly", { timeout: 60_000 }, () => {
  const expected = readFileSync(TESTS, "utf8")
    .split("\n")
    .flatMap((line, index) => {
      const member = /@ts-expect-error (\w+):/.exec(line)?.[1];
      return member === undefined ? [] : [{ member, line: index + 1 }];
    });
  const said = messages(TESTS);
  expect(expected.length).toBeGreaterThanOrEqual(8);
  expect(said.map(({ line }) => line)).toEqual(expected.map(({ line }) => line));
  for (const [index, { member }] of expected.entries()) expect(said[index]?.text).toContain(`'${member}'`);
});
