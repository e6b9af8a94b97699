// Words of commands that people copy into a shell.

/** One word of a command: a plain name as it is, any other in single quotes, in which a shell interprets nothing. */
export function word(text) {
  const plain = /^[\p{L}\p{N}/:._+,@%-]+$/u;
  return plain.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A file or folder: one whose name begins with `-` is no option. */
export const path = (text) => word(text.startsWith("-") ? `./${text}` : text);
