import { type Application, Comment, CommentTag, Converter, type DeclarationReflection, ReflectionKind } from "typedoc";

/** The heading under which the API lists what ts-proto generated from csi.proto. */
const GROUP = "Messages of the protocol";

/**
 * Tidies what ts-proto generates. Each enum has a namespace that repeats its values as types, and each message a
 * constant of its own name that encodes it: neither says anything to a reader. What remains gets a heading of its own.
 */
export function load(app: Application): void {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const generated = Object.values(project.reflections)
      .filter((reflection): reflection is DeclarationReflection => reflection.isDeclaration())
      .filter((reflection) => project.getSymbolIdFromReflection(reflection)?.packagePath === "src/gen/csi.ts");
    for (const reflection of generated) {
      if (reflection.kindOf(ReflectionKind.Namespace) || isEncoder(reflection)) project.removeReflection(reflection);
      else if (reflection.kindOf(ReflectionKind.Interface | ReflectionKind.TypeAlias | ReflectionKind.Variable)) {
        reflection.comment ??= new Comment();
        reflection.comment.blockTags.push(new CommentTag("@group", [{ kind: "text", text: GROUP }]));
      }
    }
  });
}

function isEncoder({ type }: DeclarationReflection): boolean {
  return type?.type === "reference" && type.name === "MessageFns";
}
