// Files and folders that were dropped or chosen, sorted into the datasets they are for.

/** Files that file managers write; they are never meant to be labeled. */
const isSystemFile = (name) => /^(\.DS_Store|Thumbs\.db|desktop\.ini|\._.*)$/i.test(name);

const entriesOf = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** Adds all files below an entry. A browser lists a folder in parts of 100, and then an empty one. */
async function walk(entry, path, files) {
  if (entry.isFile) {
    if (!isSystemFile(entry.name)) files.push({ path, file: await fileOf(entry) });
    return;
  }
  const reader = entry.createReader();
  for (let entries = await entriesOf(reader); entries.length > 0; entries = await entriesOf(reader)) {
    for (const child of entries) await walk(child, `${path}/${child.name}`, files);
  }
}

/** From a drop: `[{path, file}]`, each path beginning with the dropped folder's name. */
export async function fromDrop(transfer) {
  // Both lists are emptied after the event, so they are read before the first await.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...transfer.files];
  if (entries.length === 0) return plain.map((file) => ({ path: file.name, file }));
  const files = [];
  for (const entry of entries) await walk(entry, entry.name, files);
  return files;
}

/** From a file chooser, folder or not. */
export function fromInput(input) {
  const files = [...input.files].filter((file) => !isSystemFile(file.name));
  return files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** By top-level folder, or by `null` for files in none. The folder is removed from the paths. */
export function byFolder(files) {
  const groups = new Map();
  for (const { path, file } of files) {
    const cut = path.indexOf("/");
    const folder = cut < 0 ? null : path.slice(0, cut);
    if (!groups.has(folder)) groups.set(folder, []);
    groups.get(folder).push({ path: path.slice(cut + 1), file });
  }
  return groups;
}
