// Signs what comes as JSON on standard input, by the libraries that others wrote for it; the bodies are base64.
import { readFileSync } from "node:fs";
import { sign } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";

const { secret, signing_token, id, sent_at, bodies } = JSON.parse(readFileSync(0, "utf8"));
const standard = new Webhook(signing_token);
const signatures = [];
for (const encoded of bodies) {
  const body = Buffer.from(encoded, "base64").toString("utf8");
  signatures.push({
    github: await sign(secret, body),
    gitlab: standard.sign(id, new Date(sent_at * 1000), body),
  });
}
console.log(JSON.stringify(signatures));
