using Gateway.Access;
using Gateway.Journeys.Access;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>Signing in a real browser: who may, with what, and what is shown of it.</summary>
public sealed class SigningPagesTests
{
    public const string Good = "seven herons over Lake Ohrid";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    [Requirement("P11-28")]
    [Requirement("P11-31")]
    [Requirement("P11-33")]
    [Requirement("P11-36")]
    public async Task Whose_identity_was_verified_reviews_access_and_signs_with_the_keyboard_alone()
    {
        await using var gateway = await TestGateway.StartAsync();
        foreach (var (user, role) in ((string, string)[])[("chief", "administrator"), ("anna", "officer")])
        {
            await PeopleJourneys.AddAsync(gateway, user, role);
        }
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.SignInAsync("anna", Good);
        await browser.GoAsync("settings/reviews");
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin a review…" }).ClickAsync();
        await page.FillAsync("#reason", "Once a quarter");
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin", Exact = true }).ClickAsync();
        await browser.AtAsync("*/settings/reviews/1");

        // Every line but her own; one is to be withdrawn.
        await page.GetByText("another reviewer decides").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Withdraw chief" }).ClickAsync();
        await page.FillAsync("#reason", "Left the site");
        await page.GetByRole(AriaRole.Button, new() { Name = "Withdraw", Exact = true }).ClickAsync();
        await page.GetByText("Left the site").WaitForAsync();
        await DecideRestAsync(gateway);
        await browser.GoAsync("settings/reviews/1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign…" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("Nobody has verified your identity yet").WaitForAsync();

        await browser.SignInAsync("chief", Good);
        await browser.GoAsync("settings/people/anna");
        await page.GetByRole(AriaRole.Button, new() { Name = "Verify identity…" }).ClickAsync();
        await page.FillAsync("#reason", "Identity card 17");
        await page.GetByRole(AriaRole.Button, new() { Name = "Verify identity", Exact = true }).ClickAsync();
        await page.GetByText("verified by person:chief").WaitForAsync();
        await browser.AxeAsync("person-verified");

        await browser.SignInAsync("anna", Good);
        await browser.GoAsync("settings/reviews/1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign…" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await FillAsync(page, "anna", "wrong");
        await browser.AxeAsync("sign-form");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("User name, password or code is wrong: nothing was signed.").WaitForAsync();
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from signature"));
        await FillAsync(page, "anna");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("#signed");
        var signed = await page.InnerTextAsync("#signed");
        Assert.Contains("anna of the test, officer", signed, StringComparison.Ordinal);
        Assert.Contains(await gateway.Database.ScalarAsync<string>("select to_char(signed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' from signature"), signed, StringComparison.Ordinal);
        Assert.Contains("access review: I have looked at every line but my own", signed, StringComparison.Ordinal);
        await browser.AxeAsync("signed");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByText("This review is signed; 1 line waits for another reviewer.").WaitForAsync();
        await browser.AxeAsync("review-signed");

        // In print too.
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        Assert.True(await page.GetByRole(AriaRole.Cell, new() { Name = "anna of the test", Exact = true }).IsVisibleAsync());
        Assert.True(await page.GetByText("signed v1").IsVisibleAsync());
        await page.EmulateMediaAsync(new() { Media = Media.Null });

        // What is decided afterwards is another version.
        var reviews = new AccessReviews(gateway.Database.Gateway);
        var own = (await reviews.LinesAsync(Actor.System("test"), 1, Ct)).Single(l => l.Decision is null);
        Assert.Equal("person:anna", own.Owner);
        Assert.Null(await reviews.DecideAsync(Actor.System("test"), 1, own.LineId, true, null, Ct));
        await browser.GoAsync("settings/reviews/1");
        await page.GetByText("signed v1, current v2 unsigned").WaitForAsync();
        browser.NothingWentWrong();
    }

    [Fact]
    [Requirement("P11-35")]
    [Requirement("P11-38")]
    public async Task A_lock_and_a_reset_are_told_at_once_to_who_manages_people_and_a_reset_to_its_owner()
    {
        await using var gateway = await TestGateway.StartAsync();
        await PeopleJourneys.AddAsync(gateway, "chief", "administrator");
        await PeopleJourneys.AddAsync(gateway, "anna", "officer");
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.SignInAsync("chief", Good);
        await browser.GoAsync("settings/people");
        Assert.Equal(0, await page.Locator("#accounts").CountAsync());
        using var guesser = new Visitor(gateway.Url);
        for (var n = 0; n < 5; n++)
        {
            await guesser.SignInAsync("anna", "wrong");
        }
        await page.WaitForSelectorAsync("#accounts", new() { Timeout = 10_000 });
        await page.GetByText("is locked after too many wrong secrets").WaitForAsync();
        await browser.AxeAsync("people-locked");

        var temporary = (await new People(gateway.Database.Gateway).ResetPasswordAsync(Actor.System("test") with { Name = "Somebody else" }, "anna", "she asked", Ct)).TemporaryPassword!;
        await page.GetByText("The password was reset by Somebody else").WaitForAsync();
        await browser.SignInAsync("anna", temporary);
        await browser.GoAsync("account");
        await page.GetByText("Your password was reset by Somebody else").WaitForAsync();
        await page.WaitForSelectorAsync("#own-account");
        browser.NothingWentWrong();
    }

    /// <summary>Fills the dialog of a first signature by the keyboard, and leaves the cursor in the password.</summary>
    internal static async Task FillAsync(IPage page, string user, string password = Good)
    {
        await page.WaitForFunctionAsync("() => ['accepted', 'signer'].includes(document.activeElement?.id)"); // the form has the keyboard
        if (await page.Locator("#accepted").CountAsync() == 1 && !await page.IsCheckedAsync("#accepted"))
        {
            await page.FocusAsync("#accepted");
            await page.Keyboard.PressAsync("Space");
        }
        await page.FillAsync("#signer", user);
        await page.FillAsync("#secret-word", "");
        await page.FocusAsync("#secret-word");
        await page.Keyboard.TypeAsync(password);
        Assert.Equal((user, password), (await page.InputValueAsync("#signer"), await page.InputValueAsync("#secret-word")));
    }

    private static async Task DecideRestAsync(TestGateway gateway)
    {
        var reviews = new AccessReviews(gateway.Database.Gateway);
        var anna = Actor.System("test") with { Id = "person:anna", Name = "anna of the test" };
        foreach (var line in (await reviews.LinesAsync(anna, 1, Ct)).Where(l => l.Decision is null && l.Owner != anna.Id))
        {
            Assert.Null(await reviews.DecideAsync(anna, 1, line.LineId, true, null, Ct));
        }
    }
}
