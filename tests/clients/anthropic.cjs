// Anthropic's own client for Node: messages, streams, tools, thinking, counting, models, errors.
const { Anthropic } = require("@anthropic-ai/sdk");
const { betaZodTool } = require("@anthropic-ai/sdk/helpers/beta/zod");
const { z } = require("zod");
const { assert, GATEWAY, KEY, MODELS, CALL, rejected, run } = require("./checks.cjs");

const client = new Anthropic({ baseURL: GATEWAY, apiKey: KEY, maxRetries: 0, timeout: 20000 });
const HELLO = [{ role: "user", content: "Hello big world" }];
const checks = {};

for (const model of MODELS.chatting) {
  const asked = { model, max_tokens: 2000, messages: HELLO };
  checks[`message ${model}`] = async () => {
    const answer = await client.messages.create(asked);
    assert.equal(answer.content.at(-1).text, "Hello big world");
    assert.equal(answer.stop_reason, "end_turn");
    assert.ok(answer.usage.output_tokens > 0);
    assert.ok(answer._request_id);
  };
  checks[`message streamed ${model}`] = async () => {
    const stream = client.messages.stream(asked);
    let text = "";
    stream.on("text", (piece) => (text += piece));
    const answer = await stream.finalMessage();
    assert.equal(text, "Hello big world");
    assert.equal(await stream.finalText(), text);
    assert.ok(answer.usage.output_tokens > 0);
    assert.ok(stream.request_id);
  };
  checks[`tools ${model}`] = async () => {
    for (const stream of [false, true]) {
      const cities = [];
      const runner = client.beta.messages.toolRunner({
        ...asked,
        messages: [{ role: "user", content: CALL }],
        stream,
        tools: [
          betaZodTool({
            name: "get_weather",
            description: "The weather in a city",
            inputSchema: z.object({ city: z.string() }),
            run: ({ city }) => {
              cities.push(city);
              return `12 °C in ${city}`;
            },
          }),
        ],
      });
      const last = await runner.runUntilDone();
      assert.match(last.content.at(-1).text, /12 °C in Köln/);
      assert.deepEqual(cities, ["Köln"]);
    }
  };
  checks[`count ${model}`] = async () => {
    const counted = await client.messages.countTokens({ model, messages: HELLO });
    assert.ok(counted.input_tokens > 0);
  };
}

for (const model of MODELS.thinking) {
  checks[`thinking ${model}`] = async () => {
    const thinking = model.startsWith("claude")
      ? { type: "adaptive" }
      : { type: "enabled", budget_tokens: 1024 };
    const messages = [...HELLO];
    for (const said of ["And on", "and on"]) {
      const stream = client.messages.stream({ model, max_tokens: 2000, messages, thinking });
      const answer = await stream.finalMessage();
      assert.equal(answer.content[0].type, "thinking");
      assert.equal(answer.content[0].thinking, "Let me think.");
      assert.ok(answer.content[0].signature);
      messages.push({ role: "assistant", content: answer.content }, { role: "user", content: said });
    }
  };
}

Object.assign(checks, {
  async models() {
    const ids = [];
    for await (const model of client.models.list({ limit: 2 })) ids.push(model.id);
    assert.ok(ids.includes("claude-opus-4-6"));
    assert.equal((await client.models.retrieve("claude-opus-4-6")).type, "model");
  },
  async errors() {
    const ask = (model, more) => client.messages.create({ model, max_tokens: 9, messages: HELLO, ...more });
    const unknown = await rejected(ask("work:nobody"));
    assert.ok(unknown instanceof Anthropic.NotFoundError);
    assert.equal(unknown.error.error.type, "not_found_error");
    assert.ok(unknown.requestID);
    const wrong = await rejected(ask(MODELS.chatting[0], { temperature: "hot" }));
    assert.ok(wrong instanceof Anthropic.BadRequestError);
    assert.match(wrong.message, /temperature/);
    const barred = await rejected(client.withOptions({ apiKey: "wrong" }).messages.create({ model: "x", max_tokens: 9, messages: HELLO }));
    assert.ok(barred instanceof Anthropic.AuthenticationError);
  },
  async "a stream that breaks"() {
    const stream = client.messages.stream({
      model: "work:cut-between-events@anthropic",
      max_tokens: 99,
      messages: HELLO,
    });
    assert.ok((await rejected(stream.finalMessage())) instanceof Anthropic.APIError);
  },
});

run(checks);
