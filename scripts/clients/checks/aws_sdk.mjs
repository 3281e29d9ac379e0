// The AWS SDK for JavaScript: Bedrock over HTTP/2 with prior knowledge, SageMaker over HTTP/1.1.
import {
  BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, InvokeModelCommand, InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import {
  InvokeEndpointCommand, InvokeEndpointWithResponseStreamCommand, SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";

import { check, claude, fails, isForecast, isStream, isText, must, prompt, schema, tokens } from "./reporting.mjs";

const bedrock = new BedrockRuntimeClient({ maxAttempts: 1 }), sagemaker = new SageMakerRuntimeClient({ maxAttempts: 1 });
const messages = [{ role: "user", content: [{ text: prompt }] }], limit = { inferenceConfig: { maxTokens: tokens } };
const body = JSON.stringify({
  anthropic_version: "bedrock-2023-05-31", max_tokens: tokens, messages: [{ role: "user", content: prompt }],
});
const read = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

async function streamed(modelId) {
  const answer = await bedrock.send(new ConverseStreamCommand({ modelId, messages, ...limit }));
  const events = [];
  for await (const event of answer.stream) events.push(event);
  return events;
}

await check("plain", async () => {
  const converse = await bedrock.send(new ConverseCommand({ modelId: claude, messages, ...limit }));
  isText(converse.output.message.content[0].text);
  must(converse.usage.outputTokens === tokens, converse.usage);
  const invoked = await bedrock.send(new InvokeModelCommand({ modelId: claude, body, contentType: "application/json" }));
  isText(read(invoked.body).content[0].text);
});
await check("stream", async () => {
  const events = await streamed(claude);
  isStream(events.map((e) => e.contentBlockDelta?.delta.text).filter(Boolean));
  must(events.at(-1).metadata.usage.outputTokens === tokens, events.at(-1));
  const answer = await bedrock.send(new InvokeModelWithResponseStreamCommand({ modelId: claude, body }));
  const types = [];
  for await (const event of answer.body) types.push(read(event.chunk.bytes).type);
  must(types[0] === "message_start" && types.at(-1) === "message_stop", types);
  // fifty at a time
  const many = await Promise.all(Array.from({ length: 50 }, () => streamed(claude)));
  must(many.every((e) => e.at(-1).metadata.usage.outputTokens === tokens), many.length);
});
await check("tools", async () => {
  const tool = { toolSpec: { name: "forecast", inputSchema: { json: schema } } };
  const toolConfig = { tools: [tool], toolChoice: { any: {} } };
  const answer = await bedrock.send(new ConverseCommand({ modelId: claude, messages, toolConfig }));
  isForecast(answer.output.message.content.find((c) => c.toolUse).toolUse.input);
});
await check("SageMaker", async () => {
  const chat = { messages: [{ role: "user", content: prompt }], max_tokens: tokens };
  const call = { EndpointName: "chat-ep", ContentType: "application/json" };
  const whole = await sagemaker.send(new InvokeEndpointCommand({ ...call, Body: JSON.stringify(chat) }));
  must(read(whole.Body).usage.completion_tokens === tokens, whole);
  const streaming = { ...call, Body: JSON.stringify({ ...chat, stream: true }) };
  const answer = await sagemaker.send(new InvokeEndpointWithResponseStreamCommand(streaming));
  let text = "";
  for await (const event of answer.Body) text += new TextDecoder().decode(event.PayloadPart.Bytes);
  must(text.endsWith("data: [DONE]\n\n"), text);
});
await check("faults", async () => {
  await fails(() => streamed("anthropic.throttle"), "ThrottlingException");
  await fails(() => streamed("anthropic.exception_mid_stream"), "ModelStreamErrorException");
  await fails(() => streamed("anthropic.bad_crc"), "checksum");
  await fails(() => streamed("anthropic.drop_mid_stream"), "NGHTTP2_INTERNAL_ERROR");
  await fails(() => streamed("anthropic.reset_mid_stream"), "");
  const call = new InvokeEndpointCommand({ EndpointName: "throttled-ep", Body: "{}" });
  await fails(() => sagemaker.send(call), "ThrottlingException");
});
