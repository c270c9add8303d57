// person.mjs URL: does what a person does in a browser: opens the address, signs in as $PERSON (ana), agrees, and follows
// the redirects to their end. For `BROWSER`, and with CODE set for the page of a device code.
const cookies = new Map();
const name = process.env.PERSON ?? 'ana';

async function go(url, form) {
  for (let hops = 0; hops < 20; hops += 1) {
    const answer = await fetch(url, {
      method: form ? 'POST' : 'GET',
      body: form && new URLSearchParams(form),
      headers: { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') },
      redirect: 'manual',
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) cookies.set(key, value); else cookies.delete(key);
    }
    const next = answer.headers.get('location');
    if (!next) return { url, page: await answer.text() };
    url = new URL(next, url).href;
    form = undefined;
  }
  throw new Error('the redirects have no end');
}

const hidden = (page) => Object.fromEntries([...page.matchAll(/<input[^>]*type="hidden"[^>]*>/g)]
  .map(([tag]) => [/name="([^"]*)"/.exec(tag)?.[1], /value="([^"]*)"/.exec(tag)?.[1] ?? ''])
  .filter(([key]) => key));

let at = await go(process.argv[2]);
for (let pages = 0; pages < 10 && /<form/.test(at.page); pages += 1) {
  const action = new URL(/action="([^"]*)"/.exec(at.page)[1].replaceAll('&amp;', '&'), at.url).href;
  const fields = hidden(at.page);
  if (/name="login"/.test(at.page)) Object.assign(fields, { login: name, password: 'x' });
  if (/name="user_code"/.test(at.page) && !fields.user_code) fields.user_code = process.env.CODE;
  if (/name="confirm"/.test(at.page)) fields.confirm = 'yes';
  at = await go(action, fields);
}
console.error(at.page.replace(/<style[^]*?<\/style>/g, '').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 200));
