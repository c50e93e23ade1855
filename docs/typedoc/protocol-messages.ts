import { Comment, CommentTag, type DeclarationReflection, type ProjectReflection, ReflectionKind } from "typedoc";

/** The heading under which the API lists what ts-proto generated from csi.proto. */
export const PROTOCOL_MESSAGES = "Messages of the protocol";

/**
 * Tidies what ts-proto generates. Each enum has a namespace that repeats its values as types, and each message a
 * constant of its own name that encodes it: neither says anything to a reader. What remains gets a heading of its own.
 */
export function tidyProtocolMessages(project: ProjectReflection): void {
  const generated = Object.values(project.reflections)
    .filter((reflection): reflection is DeclarationReflection => reflection.isDeclaration())
    .filter((reflection) => project.getSymbolIdFromReflection(reflection)?.packagePath === "src/gen/csi.ts");
  for (const reflection of generated) {
    if (reflection.kindOf(ReflectionKind.Namespace) || isEncoder(reflection)) project.removeReflection(reflection);
    else if (reflection.kindOf(ReflectionKind.Interface | ReflectionKind.TypeAlias | ReflectionKind.Variable)) {
      reflection.comment ??= new Comment();
      reflection.comment.blockTags.push(new CommentTag("@group", [{ kind: "text", text: PROTOCOL_MESSAGES }]));
    }
  }
}

function isEncoder({ type }: DeclarationReflection): boolean {
  return type?.type === "reference" && type.name === "MessageFns";
}
