using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Access;

/// <summary>RFC 6238 with what every authenticator app understands: HMAC-SHA1, 6 digits, 30 seconds.</summary>
public static class Totp
{
    private const int StepSeconds = 30;

    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(20);

    /// <summary>The step whose code this is: now, one before or one after, as clocks differ; never one accepted before (RFC 6238, 5.2).</summary>
    public static long? Accept(byte[] key, string code, DateTimeOffset now, long lastStep)
    {
        var current = now.ToUnixTimeSeconds() / StepSeconds;
        long? accepted = null;
        for (var step = current - 1; step <= current + 1; step++)
        {
            // Each is compared, and in constant time.
            var right = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Code(key, step)), Encoding.ASCII.GetBytes(code));
            accepted = right && step > lastStep ? step : accepted;
        }
        return accepted;
    }

    public static string Code(byte[] key, DateTimeOffset at) => Code(key, at.ToUnixTimeSeconds() / StepSeconds);

    /// <summary>What an authenticator app reads.</summary>
    public static string Uri(byte[] key, string userName) =>
        $"otpauth://totp/Serialization%20gateway:{System.Uri.EscapeDataString(userName)}?secret={Base32.Encode(key)}&issuer=Serialization%20gateway&algorithm=SHA1&digits=6&period={StepSeconds}";

    private static string Code(byte[] key, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 6238's own algorithm, the one authenticator apps share; as an HMAC it is not broken
        HMACSHA1.HashData(key, counter, mac);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(mac[(mac[^1] & 15)..]) & int.MaxValue;
        return (number % 1_000_000).ToString("000000", CultureInfo.InvariantCulture);
    }
}
