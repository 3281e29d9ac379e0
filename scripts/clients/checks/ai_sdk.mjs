// Vercel's AI SDK: its Bedrock provider, which signs by itself, and its provider for OpenAI servers.
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embed, generateObject, generateText, jsonSchema, streamText, tool } from "ai";

import { check, claude, isForecast, isStream, isText, must, prompt, schema, sim, tokens, url } from "./reporting.mjs";

const bedrock = createAmazonBedrock({ region: "us-east-1", baseURL: url });
// without supportsStructuredOutputs it sends no schema at all
const openai = createOpenAICompatible({
  name: "local", baseURL: `${url}/v1`, apiKey: "none", supportsStructuredOutputs: true,
});
const models = [bedrock(claude), openai(sim)], once = { prompt, maxRetries: 0 };

await check("plain", async () => {
  for (const model of models) {
    const answer = await generateText({ model, ...once, maxOutputTokens: tokens });
    isText(answer.text);
    must(answer.usage.outputTokens === tokens, answer.usage);
  }
});
await check("stream", async () => {
  for (const model of models) {
    const pieces = [];
    for await (const piece of streamText({ model, ...once, maxOutputTokens: tokens }).textStream) pieces.push(piece);
    isStream(pieces);
  }
});
await check("tools", async () => {
  const tools = { forecast: tool({ description: "The weather to come", inputSchema: jsonSchema(schema) }) };
  for (const model of models) {
    const answer = await generateText({ model, ...once, tools, toolChoice: "required" });
    isForecast(answer.toolCalls[0].input);
  }
});
await check("structured", async () => {
  for (const model of models) {
    isForecast((await generateObject({ model, ...once, schema: jsonSchema(schema) })).object);
  }
});
await check("embeddings", async () => {
  const answer = await embed({ model: bedrock.embedding("amazon.titan-embed-text-v2:0"), value: prompt });
  must(answer.embedding.length >= 16, answer.embedding.length);
});
