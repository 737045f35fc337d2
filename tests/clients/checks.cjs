// What the scripts share: where the gateway is, who is asked, and checks one after the other.
const assert = require("node:assert/strict");

const [GATEWAY, KEY, models, UPSTREAM] = process.argv.slice(2);
// models by the kind of their upstream, as tests/e2e/clients.py names them
const MODELS = JSON.parse(models);
const CALL =
  'Look.\n<tool_call>{"name": "get_weather", "arguments": {"city": "Köln"}}</tool_call>\nNow.';
const BO = '{"name": "Bo", "age": 7}';

async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("it was no error");
}

async function run(checks) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
    } catch (error) {
      console.error(`${name}:`, error);
      process.exitCode = 1;
      continue;
    }
    console.log(`ok ${name}`);
  }
}

module.exports = { assert, GATEWAY, UPSTREAM, KEY, MODELS, CALL, BO, rejected, run };
