import type { DefaultTheme, UserConfig } from "vitepress";

import { assertNoDeadLinks } from "./dead-links.ts";
import { apiSidebars, nav, sidebar } from "./navigation.ts";

const config: UserConfig<DefaultTheme.Config> = {
  title: "SPDK storage",
  titleTemplate: ":title · SPDK storage for Kubernetes",
  description:
    "A CSI driver that gives pods volumes from SPDK targets, and the four TypeScript libraries it is made of",
  lang: "en",
  head: [["link", { rel: "icon", href: "/logo.svg", type: "image/svg+xml" }]],
  // The file stays where the README links to it.
  rewrites: { "how-it-works.md": "explanation/how-it-works.md" },
  buildEnd: ({ outDir }) => assertNoDeadLinks(outDir),
  // What all pages share is a file of its own, instead of a part of each page.
  metaChunk: true,
  // The index of the search is one chunk, loaded with the first search.
  vite: { build: { chunkSizeWarningLimit: 2_000 } },
  themeConfig: {
    logo: "/logo.svg",
    nav,
    sidebar: { ...apiSidebars(), "/": sidebar },
    outline: [2, 3],
    search: { provider: "local" },
    footer: { message: "Apache-2.0" },
  },
};

export default config;
