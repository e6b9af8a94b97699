// What somebody dropped or chose: files and whole folders, sorted into the datasets they are for.

/** Left behind by file managers; nobody means to have these labeled. */
const isLitter = (name) => /^(\.DS_Store|Thumbs\.db|desktop\.ini|\._.*)$/i.test(name);

const entriesOf = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** All files below an entry. A browser lists a folder by the hundred: asked until it says nothing more. */
async function walk(entry, path, files) {
  if (entry.isFile) {
    if (!isLitter(entry.name)) files.push({ path, file: await fileOf(entry) });
    return;
  }
  const reader = entry.createReader();
  for (let entries = await entriesOf(reader); entries.length > 0; entries = await entriesOf(reader)) {
    for (const child of entries) await walk(child, `${path}/${child.name}`, files);
  }
}

/** From a drop: `[{path, file}]`, each path beginning with the dropped folder's name. */
export async function fromDrop(transfer) {
  // Both lists die when the event is over, so they are read before the first wait.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...transfer.files];
  if (entries.length === 0) return plain.map((file) => ({ path: file.name, file }));
  const files = [];
  for (const entry of entries) await walk(entry, entry.name, files);
  return files;
}

/** From a file chooser, folder or not. */
export function fromInput(input) {
  const files = [...input.files].filter((file) => !isLitter(file.name));
  return files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** By top-level folder; files that were in none come under `null`. Paths lose the folder. */
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
