/** The first block of a language in a Markdown text. Throws an Error when there is none. */
export function firstBlock(markdown: string, language: string): string {
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(markdown)?.[1];
  if (block === undefined) throw new Error(`there is no block of ${language} in it`);
  return block;
}

/** Of a block of shell commands the one that starts the emulator; installing is done already. Throws an Error for others. */
export function emulatorCommand(block: string): string {
  const commands = block
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "" && !/^npm (i|install) /.test(line));
  const [command, ...others] = commands;
  if (command === undefined || others.length > 0 || !/^npx \S*spdk-emulator\b/.test(command)) {
    throw new Error(`its first shell block must start the emulator, and do nothing else: ${commands.join("; ")}`);
  }
  return command.replace(/\s*&$/, "");
}
