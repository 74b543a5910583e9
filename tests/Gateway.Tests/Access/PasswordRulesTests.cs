using Gateway.Access;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Access;

/// <summary>OWASP ASVS 5.0.0, chapter 6.2, level 2.</summary>
public sealed class PasswordRulesTests
{
    private static readonly PasswordRules Rules = new(Options.Create(new SignInOptions { ContextWords = ["Nordhaven Biologics"] }));

    [Theory]
    [InlineData("elevenchars", "at least 12")]
    [InlineData("ñandúñandúñ", "at least 12")]
    [InlineData("Password2026!", "common")]
    [InlineData("p@$$w0rd-2026", "common")]
    [InlineData("!!!dragon1234", "common")]
    [InlineData("ｐａｓｓｗｏｒｄ１２３４", "common")]
    [InlineData("monkeymonkeymonkey", "repeats")]
    [InlineData("aaaaaaaaaaaaaaaa", "repeats")]
    [InlineData("123456789012345", "repeats")]
    [InlineData("qwertyuiopasdf", "repeats")]
    [InlineData("1q2w3e4r5t6y", "repeats")]
    [InlineData("zyxwvutsrqponm", "repeats")]
    [InlineData("Serialization-Gateway-2026", "belong to you")]
    [InlineData("Nordhaven2026!", "belong to you")]
    [InlineData("anna.berg-2026", "belong to you")]
    [InlineData("annaberg password", "belong to you")]
    public void A_weak_password_is_refused_with_the_reason(string password, string reason) =>
        Assert.Contains(reason, Rules.Refusal(password, "anna.berg", "Anna Berg"), StringComparison.Ordinal);

    [Theory]
    [InlineData("seven herons over Lake Ohrid")]
    [InlineData("xkqvtrhzmpwj")] // no composition is asked for
    [InlineData("пароль из многих слов")]
    [InlineData("🦆🐿🦔🦦🐢🦭🐝🦋🐌🐞🐜🪲")] // twelve characters, though more UTF-16 units
    [InlineData("the gateway of nine marble columns")]
    public void A_good_password_is_taken_whatever_it_is_made_of(string password) =>
        Assert.Null(Rules.Refusal(password, "anna.berg", "Anna Berg"));

    [Fact]
    public void A_long_password_is_taken_whole_up_to_the_limit_and_never_cut()
    {
        var text = string.Concat(Enumerable.Range(0, 64).Select(n => $"{n * 7919 % 9973:0000}"));
        Assert.Null(Rules.Refusal(text, "anna"));
        Assert.Contains("at most 256", Rules.Refusal(text + "x", "anna"), StringComparison.Ordinal);
        var hash = Passwords.Hash(text);
        Assert.True(Passwords.Verify(hash, text).Right);
        Assert.False(Passwords.Verify(hash, text[..^1]).Right);
        Assert.False(Passwords.Verify(hash, text + " ").Right);
    }
}
