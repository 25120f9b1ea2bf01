// Holds Kubernetes objects against Kubernetes' own schema, and refuses keys that it does not know.
//
// usage: schema.mjs < [{"where": "...", "object": {...}}, ...]   One line a finding; exit code 1 on any.
//
// The package has the schema compiled to functions, which pass over unknown keys. But they read every key that they
// know: what none of them has read of an object is a key that the schema does not have.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const load = createRequire(import.meta.url);

function watched(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const copy = Array.isArray(value) ? [] : {};
  for (const key of Object.keys(value)) {
    const inner = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    copy[key] = watched(value[key], inner, unread);
    if (!Array.isArray(value)) unread.add(inner);
  }
  return new Proxy(copy, {
    get(target, key) {
      if (typeof key === "string") unread.delete(`${path}.${key}`);
      return target[key];
    },
  });
}

function findings(object) {
  const { apiVersion, kind } = object;
  let model;
  try {
    model = load(`kubernetes-models/${apiVersion}`)[kind];
  } catch {
    // told below
  }
  if (!model) return [`there is no ${kind} of ${apiVersion}`];
  const unread = new Set();
  const found = [];
  try {
    model.prototype.validate.call(watched(object, "", unread));
  } catch (error) {
    found.push(error.message);
  }
  // A key inside an unknown one is no finding of its own.
  for (const path of unread)
    if (![...unread].some((other) => path !== other && (path.startsWith(`${other}.`) || path.startsWith(`${other}[`))))
      found.push(`${path.slice(1)} is no field of ${kind}`);
  return found;
}

let failed = false;
for (const { where, object } of JSON.parse(readFileSync(0, "utf8")))
  for (const finding of findings(object)) {
    console.log(`${where}: ${finding}`);
    failed = true;
  }
process.exitCode = failed ? 1 : 0;
