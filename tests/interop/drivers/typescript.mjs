// Drive the TypeScript SDK: a job as JSON on stdin, one JSON line for each step on stdout.
import { readFileSync } from "node:fs";

const job = JSON.parse(readFileSync(0, "utf8"));
const { Codex } = await import(job.sdk);
const codex = new Codex({ codexPathOverride: job.codex, env: job.env, ...job.client });
let thread = codex.startThread(job.thread);

for (const step of job.steps) {
  if (step.resume) thread = codex.resumeThread(step.resume === true ? thread.id : step.resume, job.thread);
  const options = step.schema ? { outputSchema: step.schema } : {};
  let told;
  try {
    if (step.abortOn) {
      const abort = new AbortController();
      const events = [];
      const { events: stream } = await thread.runStreamed(step.input, { ...options, signal: abort.signal });
      for await (const event of stream) {
        events.push(event);
        if (event.type === step.abortOn) abort.abort();
      }
      told = { events };
    } else if (step.streamed) {
      const events = [];
      const { events: stream } = await thread.runStreamed(step.input, options);
      for await (const event of stream) events.push(event);
      told = { events };
    } else {
      told = await thread.run(step.input, options);
    }
  } catch (error) {
    told = { error: String(error.message ?? error), name: error.name };
  }
  console.log(JSON.stringify({ ...told, thread: thread.id }));
}
