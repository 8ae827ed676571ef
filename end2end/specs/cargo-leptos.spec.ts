import { expect, test } from "../fixtures/test";
import { mismatches } from "../fixtures/values";

test("cargo-leptos build hydrates and follows the stream", async ({ dashboard, record }) => {
  const recorder = await record();
  await dashboard.open();
  await expect(dashboard.indicator).toHaveText("live");
  const { newest } = await dashboard.read();
  await expect.poll(async () => (await dashboard.read()).newest).toBeGreaterThan(newest + 2000);
  const reading = await dashboard.read();
  expect(mismatches(reading.values, await recorder.at(reading.newest))).toEqual([]);
});
