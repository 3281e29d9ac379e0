// openai for JavaScript: the /v1 routes.
import OpenAI from "openai";

import { check, isForecast, isStream, isText, must, prompt, schema, sim, tokens, url } from "./reporting.mjs";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const asked = { model: sim, messages: [{ role: "user", content: prompt }] };

await check("plain", async () => {
  const answer = await client.chat.completions.create({ ...asked, max_tokens: tokens });
  isText(answer.choices[0].message.content);
  must(answer.usage.completion_tokens === tokens, answer.usage);
});
await check("stream", async () => {
  const options = { stream: true, stream_options: { include_usage: true } };
  const pieces = [];
  let usage;
  for await (const chunk of await client.chat.completions.create({ ...asked, ...options, max_tokens: tokens })) {
    if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content);
    usage = chunk.usage ?? usage;
  }
  isStream(pieces);
  must(usage.completion_tokens === tokens, usage);
});
await check("tools", async () => {
  const tools = [{ type: "function", function: { name: "forecast", parameters: schema } }];
  const answer = await client.chat.completions.create({ ...asked, tools, tool_choice: "required" });
  isForecast(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments));
});
await check("structured", async () => {
  const form = { type: "json_schema", json_schema: { name: "forecast", schema, strict: true } };
  const answer = await client.chat.completions.create({ ...asked, response_format: form });
  isForecast(JSON.parse(answer.choices[0].message.content));
});
await check("models", async () => {
  const found = [];
  for await (const model of client.models.list()) found.push(model.id);
  must(found.includes(sim), found);
});
