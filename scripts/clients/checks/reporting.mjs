// What reporting.py is to Python.
export const url = process.env.LOCAL_ENDPOINT;
export const claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0", sim = "sim";
export const prompt = "How far is it to the harbour?", tokens = 12;
export const schema = {
  type: "object",
  properties: {
    city: { type: "string" },
    days: { type: "integer" },
    unit: { type: "string", enum: ["celsius", "fahrenheit"] },
  },
  required: ["city", "days", "unit"],
  additionalProperties: false,
};

export function must(holds, what) {
  if (!holds) throw new Error(`found ${JSON.stringify(what)}`);
}

export const isText = (text) => must(typeof text === "string" && text.trim().split(/\s+/).length > 3, text);

export function isStream(pieces) {
  must(pieces.length > 3, pieces);
  isText(pieces.join(""));
}

export const isForecast = (v) =>
  must(typeof v?.city === "string" && Number.isInteger(v.days) && ["celsius", "fahrenheit"].includes(v.unit), v);

export async function check(column, body) {
  let outcome = "works";
  try {
    await body();
  } catch (e) {
    outcome = `${e.name}: ${e.message}`.replace(/\s+/g, " ");
  }
  console.log("check " + JSON.stringify({ column, outcome }));
}

export async function fails(body, what) {
  let found = "no error";
  try {
    await body();
  } catch (e) {
    found = `${e.name} ${e.message}`;
  }
  must(found.includes(what), found);
}
