// Judges names: every attribute and metric in files of OTLP/JSON lines is one of the OpenTelemetry semantic
// conventions (@opentelemetry/semantic-conventions, stable, incubating or deprecated) or declared in
// own_names.txt; and nothing declared there is in the conventions.
//
// usage: node names.mjs FILE... [--used]     --used: also list the names found
import { createRequire } from 'node:module';
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const conventions = new Set(
    ['@opentelemetry/semantic-conventions', '@opentelemetry/semantic-conventions/incubating']
        .flatMap((entry) => Object.entries(require(entry)))
        .filter(([constant, name]) => /^(ATTR|METRIC)_/.test(constant) && typeof name === 'string')
        .map(([, name]) => name));
const own = new Set(
    readFileSync(new URL('own_names.txt', import.meta.url), 'utf8')
        .split('\n')
        .map((line) => line.replace(/#.*/, '').trim())
        .filter(Boolean));

/** Attribute keys and metric names, wherever they stand in a request. */
function collect(value, names) {
    if (Array.isArray(value)) {
        for (const item of value) collect(item, names);
    } else if (value !== null && typeof value === 'object') {
        if (typeof value.key === 'string' && 'value' in value) names.add(value.key);
        for (const [key, inner] of Object.entries(value)) {
            if (key === 'metrics') for (const metric of inner) names.add(metric.name);
            if (typeof inner === 'object') collect(inner, names);
        }
    }
}

const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const names = new Set();
let lines = 0;
for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        collect(JSON.parse(line), names);
        lines++;
    }
}

const unknown = [...names].filter((name) => !conventions.has(name) && !own.has(name)).sort();
const needless = [...own].filter((name) => conventions.has(name)).sort();
for (const name of unknown) console.log(`${name}: neither in the conventions nor declared`);
for (const name of needless) console.log(`${name}: declared as own, but in the conventions`);
if (process.argv.includes('--used')) for (const name of [...names].sort()) console.log(name);
const ours = [...names].filter((name) => own.has(name)).length;
console.log(`${names.size} names in ${lines} lines: ${names.size - ours - unknown.length} of the conventions, ` +
    `${ours} own, ${unknown.length} unknown`);
process.exit(names.size && !unknown.length && !needless.length ? 0 : 1);
