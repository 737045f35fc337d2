// OpenAI's own client for Node: chats, responses, embeddings, models, errors.
const OpenAI = require("openai");
const { zodResponseFormat, zodTextFormat, zodFunction } = require("openai/helpers/zod");
const { z } = require("zod");
const { assert, GATEWAY, UPSTREAM, KEY, MODELS, CALL, BO, rejected, run } = require("./checks.cjs");

const client = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: KEY, maxRetries: 0, timeout: 20000 });
const Person = z.object({ name: z.string(), age: z.number() });
const HELLO = [{ role: "user", content: "Hello big world" }];
const checks = {};

for (const model of MODELS.chatting) {
  checks[`chat ${model}`] = async () => {
    const { data, response } = await client.chat.completions
      .create({ model, messages: HELLO })
      .withResponse();
    assert.equal(data.choices[0].message.content, "Hello big world");
    assert.ok(data.usage.total_tokens > 0);
    assert.ok(response.headers.get("x-request-id"));
    assert.equal(data._request_id, response.headers.get("x-request-id"));
  };
  checks[`chat streamed ${model}`] = async () => {
    const stream = await client.chat.completions.create({
      model,
      messages: HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let last;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      last = chunk;
    }
    assert.equal(text, "Hello big world");
    assert.deepEqual(last.choices, []);
    assert.ok(last.usage.completion_tokens > 0);
  };
  checks[`tools ${model}`] = async () => {
    const asked = [];
    const runner = client.chat.completions.runTools({
      model,
      stream: true,
      messages: [{ role: "user", content: CALL }],
      tools: [
        zodFunction({
          name: "get_weather",
          description: "The weather in a city",
          parameters: z.object({ city: z.string() }),
          function: ({ city }) => {
            asked.push(city);
            return `12 °C in ${city}`;
          },
        }),
      ],
    });
    assert.match(await runner.finalContent(), /12 °C in Köln/);
    assert.deepEqual(asked, ["Köln"]);
  };
  checks[`schema ${model}`] = async () => {
    const body = {
      model,
      messages: [{ role: "user", content: BO }],
      response_format: zodResponseFormat(Person, "person"),
    };
    const whole = await client.chat.completions.parse(body);
    assert.deepEqual(whole.choices[0].message.parsed, { name: "Bo", age: 7 });
    const final = await client.chat.completions.stream(body).finalChatCompletion();
    assert.deepEqual(final.choices[0].message.parsed, { name: "Bo", age: 7 });
  };
}

for (const model of MODELS.every) {
  checks[`response ${model}`] = async () => {
    const first = await client.responses.create({ model, input: "Hello big world" });
    assert.equal(first.output_text, "Hello big world");
    const second = await client.responses.create({
      model,
      input: "And on",
      previous_response_id: first.id,
    });
    assert.equal(second.output_text, "And on");
    assert.equal((await client.responses.retrieve(first.id)).output_text, "Hello big world");
    const listed = await client.responses.inputItems.list(second.id);
    assert.equal(listed.data.length, 3);
  };
  checks[`response streamed ${model}`] = async () => {
    const stream = client.responses.stream({
      model,
      input: BO,
      text: { format: zodTextFormat(Person, "person") },
    });
    let text = "";
    stream.on("response.output_text.delta", (event) => (text += event.delta));
    const final = await stream.finalResponse();
    assert.deepEqual(final.output_parsed, { name: "Bo", age: 7 });
    assert.equal(text, final.output_text);
  };
  checks[`response with a tool ${model}`] = async () => {
    const tools = [
      {
        type: "function",
        name: "get_weather",
        description: "The weather in a city",
        parameters: {
          type: "object",
          properties: { city: { type: "string" } },
          required: ["city"],
          additionalProperties: false,
        },
        strict: true,
      },
    ];
    const input = [{ role: "user", content: CALL }];
    const first = await client.responses.create({ model, input, tools, store: false });
    const call = first.output.find((item) => item.type === "function_call");
    assert.deepEqual(JSON.parse(call.arguments), { city: "Köln" });
    input.push(...first.output);
    input.push({ type: "function_call_output", call_id: call.call_id, output: "12 °C in Köln" });
    const second = await client.responses.create({ model, input, tools, store: false });
    assert.match(second.output_text, /12 °C in Köln/);
  };
}

Object.assign(checks, {
  async embeddings() {
    const asked = { model: MODELS.embeddings, input: ["one", "three"] };
    const answer = await client.embeddings.create(asked);
    assert.deepEqual(answer.data.map((one) => one.embedding[0]), [3, 5]);
    const tokens = { model: MODELS.embeddings, input: [[1, 2, 3]] };
    assert.equal((await client.embeddings.create(tokens)).data[0].embedding[0], 3);
  },
  async models() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes("gpt-5"));
    assert.equal((await client.models.retrieve("gpt-5")).id, "gpt-5");
  },
  async errors() {
    const ask = (model, more) => client.chat.completions.create({ model, messages: HELLO, ...more });
    const unknown = await rejected(ask("work:nobody"));
    assert.ok(unknown instanceof OpenAI.NotFoundError);
    assert.equal(unknown.code, "model_not_found");
    assert.ok(unknown.requestID);
    const wrong = await rejected(ask(MODELS.every[0], { temperature: "hot" }));
    assert.ok(wrong instanceof OpenAI.BadRequestError);
    assert.equal(wrong.param, "temperature");
    const other = client.withOptions({ apiKey: "wrong" });
    const barred = await rejected(other.models.list());
    assert.ok(barred instanceof OpenAI.AuthenticationError);
    const busy = await rejected(ask("work:status-429@node"));
    assert.ok(busy instanceof OpenAI.RateLimitError);
    assert.ok(Number(busy.headers.get("retry-after")) > 0);
  },
  async "a stream that breaks"() {
    const stream = await client.chat.completions.create({
      model: "work:cut-between-events@openai",
      messages: HELLO,
      stream: true,
    });
    let text = "";
    const broken = (async () => {
      for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
    })();
    assert.ok((await rejected(broken)) instanceof OpenAI.APIError);
    assert.equal(text, "One two");
  },
  async "a stream that is left"() {
    const stream = await client.chat.completions.create({
      model: "work:paced-20-100000",
      messages: HELLO,
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
    const closed = async () => {
      const { exchanges } = await (await fetch(`${UPSTREAM}/_record`)).json();
      const asked = exchanges.filter((one) => one.body?.model === "paced-20-100000");
      return asked.length === 1 && asked[0].closed_at !== null;
    };
    for (let tries = 0; tries < 500 && !(await closed()); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(await closed());
  },
});

run(checks);
