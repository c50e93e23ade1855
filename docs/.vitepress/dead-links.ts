import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * VitePress itself refuses links to missing pages, but sees neither anchors nor the links of navigation and home page:
 * this reads them off the finished pages. Throws an Error that lists every link without an end.
 */
export function assertNoDeadLinks(outDir: string): void {
  const pages = new Map<string, { ids: Set<string>; links: string[] }>();
  for (const file of globSync("**/*.html", { cwd: outDir })) {
    const html = readFileSync(join(outDir, file), "utf8");
    pages.set(`/${file}`, { ids: attributes(html, "id"), links: [...attributes(html, "href")] });
  }
  const dead = [...pages].flatMap(([page, { links }]) =>
    links
      .filter((link) => link.startsWith("/") || link.startsWith("#"))
      .filter((link) => {
        const { pathname, hash } = new URL(link, `http://docs${page}`);
        const target = pages.get(decodeURI(pathname.endsWith("/") ? `${pathname}index.html` : pathname));
        if (target === undefined) return !existsSync(join(outDir, decodeURI(pathname)));
        return hash !== "" && !target.ids.has(decodeURIComponent(hash.slice(1)));
      })
      .map((link) => `${page} links to ${link}`),
  );
  if (dead.length > 0) throw new Error(`${dead.length} dead links:\n${dead.slice(0, 20).join("\n")}`);
}

function attributes(html: string, name: "id" | "href"): Set<string> {
  const found = html.matchAll(new RegExp(` ${name}="([^"]*)"`, "g"));
  return new Set([...found].map(([, value = ""]) => value.replaceAll("&amp;", "&")));
}
