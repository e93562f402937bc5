// A page of node-oidc-provider in, a persona that has signed in and agreed, or declined, out.

export async function visit(page, { persona, url, code, picture, declines }) {
  await page.goto(url);
  if (code) {
    await page.getByPlaceholder('Enter code').fill(code);
    await picture();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Yes' }).click();
  }
  await page.getByLabel('Account').fill(persona);
  await page.getByLabel('Password').fill(process.env[`${persona.toUpperCase()}_PASSWORD`]);
  await picture();
  await page.getByRole('button', { name: 'Sign in' }).click();
  const allow = page.getByRole('button', { name: declines ? 'Decline' : 'Allow' });
  await allow.waitFor();
  await picture();
  await allow.click();
  // The device flow ends at the provider, the other one at rolecall.
  await page.getByText(/this page can be closed/i).waitFor();
  await picture();
}
