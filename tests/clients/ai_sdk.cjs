// The Vercel AI SDK with each of its providers for APIs that the gateway has.
const {
  generateText, streamText, generateObject, streamObject, embedMany, tool, stepCountIs, Output, APICallError,
} = require("ai");
const { createOpenAI } = require("@ai-sdk/openai");
const { createAnthropic } = require("@ai-sdk/anthropic");
const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
const { z } = require("zod");
const { assert, GATEWAY, KEY, MODELS, CALL, BO, rejected, run } = require("./checks.cjs");

globalThis.AI_SDK_LOG_WARNINGS = false; // it knows not what these models can do

const baseURL = `${GATEWAY}/v1`;
const openai = createOpenAI({ baseURL, apiKey: KEY });
const anthropic = createAnthropic({ baseURL, apiKey: KEY });
const compatible = createOpenAICompatible({
  name: "g4f", baseURL, apiKey: KEY, includeUsage: true, supportsStructuredOutputs: true,
});
const schema = z.object({ name: z.string(), age: z.number() });
const quiet = { maxRetries: 0 };
const JSON_CALL = `<tool_call>{"name": "json", "arguments": ${BO}}</tool_call>`;
const providers = {
  responses: [(name) => openai(name), MODELS.every],
  chat: [(name) => openai.chat(name), MODELS.chatting],
  messages: [(name) => anthropic(name), MODELS.chatting],
  compatible: [(name) => compatible(name), MODELS.chatting],
};
const checks = {};

function weather(cities) {
  return {
    get_weather: tool({
      description: "The weather in a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        cities.push(city);
        return `12 °C in ${city}`;
      },
    }),
  };
}

for (const [api, [make, names]] of Object.entries(providers)) {
  for (const name of names) {
    const model = make(name);
    checks[`${api} text ${name}`] = async () => {
      const whole = await generateText({ model, prompt: "Hello big world", ...quiet });
      assert.equal(whole.text, "Hello big world");
      assert.equal(whole.finishReason, "stop");
      assert.ok(whole.usage.outputTokens > 0);
      const stream = streamText({ model, system: "Be brief.", prompt: "Hello big world", ...quiet });
      let pieces = 0;
      for await (const _ of stream.textStream) pieces += 1;
      assert.ok(pieces > 1);
      assert.match(await stream.text, /Hello big world$/);
      assert.equal(await stream.finishReason, "stop");
      assert.ok((await stream.usage).outputTokens > 0);
    };
    checks[`${api} tools ${name}`] = async () => {
      const cities = [];
      const asked = { model, prompt: CALL, tools: weather(cities), stopWhen: stepCountIs(4), ...quiet };
      const whole = await generateText(asked);
      assert.match(whole.text, /12 °C in Köln/);
      const stream = streamText(asked);
      const kinds = new Set();
      for await (const part of stream.fullStream) {
        kinds.add(part.type);
        assert.notEqual(part.type, "error", String(part.error));
      }
      for (const kind of ["tool-input-start", "tool-input-delta", "tool-call", "tool-result", "text-delta"])
        assert.ok(kinds.has(kind), kind);
      assert.match(await stream.text, /12 °C in Köln/);
      assert.deepEqual(cities, ["Köln", "Köln"]);
    };
    checks[`${api} object ${name}`] = async () => {
      // without the name of a Claude it asks for a call of a tool, and takes nothing else
      const prompt = api === "messages" && name.startsWith("plain") ? JSON_CALL : BO;
      const { object } = await generateObject({ model, schema, prompt, ...quiet });
      assert.deepEqual(object, { name: "Bo", age: 7 });
      const stream = streamObject({ model, schema, prompt, ...quiet });
      for await (const _ of stream.partialObjectStream);
      assert.deepEqual(await stream.object, { name: "Bo", age: 7 });
      const output = Output.object({ schema });
      const text = await generateText({ model, output, prompt, ...quiet });
      assert.deepEqual(text.output, { name: "Bo", age: 7 });
    };
  }
}

const thinks = {
  compatible: [compatible("work:agent@thinks"), {}],
  messages: [
    anthropic("work:agent@thinks"),
    { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } },
  ],
  responses: [openai("work:agent@thinks"), { openai: { reasoningEffort: "low", reasoningSummary: "auto", forceReasoning: true } }],
};
for (const [api, [model, providerOptions]] of Object.entries(thinks)) {
  checks[`${api} reasoning`] = async () => {
    const cities = [];
    const asked = {
      model, prompt: CALL, tools: weather(cities), stopWhen: stepCountIs(4), providerOptions, ...quiet,
    };
    const whole = await generateText(asked);
    assert.equal(whole.reasoningText, "Let me think.");
    assert.equal(whole.steps[0].reasoningText, "Let me think.");
    const stream = streamText(asked);
    for await (const part of stream.fullStream) assert.notEqual(part.type, "error", String(part.error));
    assert.equal(await stream.reasoningText, "Let me think.");
    assert.match(await stream.text, /12 °C in Köln/);
    assert.equal(cities.length, 2);
  };
}

for (const [name, provider] of Object.entries({ openai, compatible })) {
  checks[`embeddings ${name}`] = async () => {
    const model = provider.embeddingModel(MODELS.embeddings);
    const { embeddings, usage } = await embedMany({ model, values: ["one", "three"], ...quiet });
    assert.deepEqual(embeddings.map((one) => one[0]), [3, 5]);
    assert.ok(usage.tokens > 0);
  };
}

for (const [api, make] of Object.entries({ chat: openai.chat, responses: openai, messages: anthropic, compatible })) {
  checks[`${api} errors`] = async () => {
    const error = await rejected(generateText({ model: make("work:nobody"), prompt: "Hi", ...quiet }));
    assert.ok(APICallError.isInstance(error));
    assert.equal(error.statusCode, 404);
    assert.match(error.message, /nobody/);
    const busy = await rejected(generateText({ model: make(`work:status-503@${api}`), prompt: "Hi", ...quiet }));
    assert.ok(busy.isRetryable);
  };
  checks[`${api} a stream that breaks`] = async () => {
    const errors = [];
    const stream = streamText({
      model: make(`work:cut-between-events@${api}`), prompt: "Hi", onError: ({ error }) => errors.push(error), ...quiet,
    });
    let text = "";
    for await (const piece of stream.textStream) text += piece;
    assert.equal(text, "One two");
    assert.equal(errors.length, 1);
  };
}

run(checks);
