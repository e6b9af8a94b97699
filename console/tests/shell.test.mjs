// The words of commands that the console shows, read by a shell. `node --test`, which console/tests/shell.rs calls.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
// Not by its path: without a package.json, node takes a `.js` for no module.
const { path, word } = await import(`data:text/javascript,${encodeURIComponent(read("../assets/shell.js"))}`);
const names = JSON.parse(read("../../shared/src/shell/hostile_names.json"));

/** What a POSIX shell makes of a word; it finds no command to run. */
function readByShell(word) {
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", `printf '%s.' ${word}`], { env: { PATH: "/nowhere" }, encoding: "utf8" });
  assert.equal(stderr, "", word);
  assert.equal(stdout.at(-1), ".", word);
  return stdout.slice(0, -1);
}

test("a shell reads every word as the name it is", () => {
  assert.ok(names.length >= 28, `${names.length} names`);
  for (const name of names) assert.equal(readByShell(word(name)), name);
});

test("a path is no option", () => {
  for (const name of names.filter((name) => name.startsWith("-"))) assert.equal(readByShell(path(name)), `./${name}`);
  assert.equal(path("-rf x"), "'./-rf x'");
});

test("a plain name stays as it is", () => {
  for (const name of ["numbers/1.txt", "s3://in/a_b-c.csv", "каталог/고양이.jpg"]) assert.equal(word(name), name);
  assert.equal(word("Bo's team.yaml"), String.raw`'Bo'\''s team.yaml'`);
});
