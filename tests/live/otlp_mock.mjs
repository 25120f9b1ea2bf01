// Elastic's mock OTLP server as a judge: it decodes what it is sent with the official protos, or dies of it.
// Prints its URL; on SIGTERM one line of JSON with how much it understood of each signal and encoding.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../judges/package.json', import.meta.url));
const { MockOtlpServer } = require('@elastic/mockotlpserver');
const counts = { traces: 0, metrics: 0, logs: 0, services: {}, types: {} };

function walk(resources, scopes, count) {
    for (const resource of resources) {
        const name = resource.resource.attributes.find((a) => a.key === 'service.name');
        counts.services[name.value.stringValue] = true;
        for (const scope of resource[scopes]) count(scope);
    }
}

const server = new MockOtlpServer({
    services: ['http'],
    httpHostname: '127.0.0.1',
    httpPort: 0,
    logLevel: 'error',
    onTrace: (request) => walk(request.resourceSpans, 'scopeSpans', (s) => { counts.traces += s.spans.length; }),
    onLogs: (request) => walk(request.resourceLogs, 'scopeLogs', (s) => { counts.logs += s.logRecords.length; }),
    onMetrics: (request) => walk(request.resourceMetrics, 'scopeMetrics', (s) => {
        for (const metric of s.metrics) {
            counts.metrics += (metric.sum ?? metric.gauge ?? metric.histogram ?? metric.exponentialHistogram).dataPoints.length;
        }
    }),
    onRequest: (request) => { counts.types[request.headers['content-type']] = true; },
});
await server.start();
console.log(String(server.httpUrl));
process.on('SIGTERM', () => {
    console.log(JSON.stringify(counts));
    process.exit(0);
});
