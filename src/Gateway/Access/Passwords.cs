using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>
/// ASP.NET Core Identity's hash of passwords, format V3: PBKDF2 with HMAC-SHA512. A password is hashed exactly as it was typed.
/// </summary>
public static class Passwords
{
    public const int Iterations = 210_000;

    private static readonly PasswordHasher<object> Hasher = new(Options.Create(new PasswordHasherOptions { CompatibilityMode = PasswordHasherCompatibilityMode.IdentityV3, IterationCount = Iterations }));
    private static readonly object Nobody = new();

    /// <summary>What an unknown name's password is compared with: the same work, and never right.</summary>
    public static string OfNobody { get; } = Hash(Convert.ToHexString(RandomNumberGenerator.GetBytes(32)));

    public static string Hash(string password) => Hasher.HashPassword(Nobody, password);

    /// <returns>Whether it is right, and whether its hash was made with other parameters than today's.</returns>
    public static (bool Right, bool Outdated) Verify(string hash, string password) => Hasher.VerifyHashedPassword(Nobody, hash, password) switch
    {
        PasswordVerificationResult.Success => (true, false),
        PasswordVerificationResult.SuccessRehashNeeded => (true, true),
        _ => (false, false),
    };

    /// <summary>A password for one sign-in: 100 random bits in letters and digits that are not mistaken for each other.</summary>
    public static string Temporary() => string.Join('-', RandomNumberGenerator.GetString(Base32.Alphabet.ToLowerInvariant(), 20).Chunk(5).Select(c => new string(c)));
}
