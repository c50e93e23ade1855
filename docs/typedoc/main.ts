// Writes the API of the libraries as Markdown into api/: a page for each exported name, from its doc comment.
import { resolve } from "node:path";
import { Application, Comment, Converter } from "typedoc";
import type { PluginOptions as MarkdownOptions } from "typedoc-plugin-markdown";

import { libraryEntries } from "./library-entries.ts";
import { tidyProtocolMessages } from "./protocol-messages.ts";

const docs = resolve(import.meta.dirname, "..");
const entries = libraryEntries(resolve(docs, "../libs"));

const pages: Partial<MarkdownOptions> & { readonly docsRoot: string } = {
  docsRoot: docs,
  excludeScopesInPaths: true,
  indexFormat: "table",
  interfacePropertiesFormat: "table",
  parametersFormat: "table",
  typeDeclarationFormat: "table",
  tableColumnSettings: { hideDefaults: true, hideInherited: true, hideModifiers: true, hideSources: true },
};

const app = await Application.bootstrapWithPlugins({
  ...pages,
  name: "API",
  plugin: ["typedoc-plugin-markdown", "typedoc-vitepress-theme"],
  out: resolve(docs, "api"),
  tsconfig: resolve(import.meta.dirname, "tsconfig.json"),
  entryPoints: entries.map(({ file }) => file),
  readme: "none",
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  groupOrder: [
    "Functions",
    "Classes",
    "Constructors",
    "Properties",
    "Methods",
    "Interfaces",
    "Type Aliases",
    "Variables",
    "*",
  ],
  validation: { invalidLink: true, notExported: false, rewrittenLink: true, notDocumented: true },
  // Not csi-framework's: its messages are as the CSI specification has them.
  packagesRequiringDocumentation: [
    "@org/node-mounter",
    "@org/spdk-rpc",
    "@org/spdk-emulator",
    "@org/create-csi-driver",
  ],
  requiredToBeDocumented: ["Function", "Class", "Interface", "TypeAlias", "Variable", "Method", "Accessor"],
});
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  tidyProtocolMessages(project);
  for (const { specifier, description } of entries) {
    const module = project.getChildByName([specifier]);
    if (module !== undefined) module.comment = new Comment([{ kind: "text", text: description }]);
  }
});

const found = app.getEntryPoints() ?? [];
const project = app.converter.convert(
  found.map((entry) => ({
    ...entry,
    displayName: entries.find(({ file }) => file === entry.sourceFile.fileName)?.specifier ?? entry.displayName,
  })),
);
app.validate(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
else await app.generateOutputs(project);
