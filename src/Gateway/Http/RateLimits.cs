using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Http;

/// <summary>How much one caller may ask of one node. Generous: a line that sends its bulk at once is no attacker.</summary>
public sealed class RateLimitOptions
{
    public const string Section = "RateLimits";

    /// <summary>Requests of one key or person, a browser signed in with it included; unused ones gather up to a minute's worth.</summary>
    [Range(1, 10_000_000)] public int PerKeyPerMinute { get; init; } = 120_000;

    /// <summary>Requests from one address without a valid key.</summary>
    [Range(1, 10_000_000)] public int AnonymousPerMinute { get; init; } = 1_200;

    /// <summary>Attempts to sign in from one address.</summary>
    [Range(1, 100_000)] public int SignInPerMinute { get; init; } = 30;
}

public static class RateLimits
{
    /// <summary>The stricter policy of the sign-in form.</summary>
    public const string SignIn = "sign-in";

    public static IServiceCollection AddRateLimits(this IServiceCollection services)
    {
        services.AddOptions<RateLimitOptions>().BindConfiguration(RateLimitOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<RateLimitOptions>>((limiter, chosen) =>
        {
            var limits = chosen.Value;
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                context.User.FindFirstValue(ClaimTypes.NameIdentifier) is { } caller
                    ? RateLimitPartition.GetTokenBucketLimiter("caller " + caller, _ => Bucket(limits.PerKeyPerMinute))
                    : RateLimitPartition.GetTokenBucketLimiter("address " + AddressOf(context), _ => Bucket(limits.AnonymousPerMinute)));
            limiter.AddPolicy(SignIn, context => RateLimitPartition.GetTokenBucketLimiter("sign-in " + AddressOf(context), _ => Bucket(limits.SignInPerMinute)));
            limiter.OnRejected = async (rejected, _) =>
            {
                var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1);
                var seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
                rejected.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
                await FailureAnswers.WriteAsync(rejected.HttpContext, Problems.TooManyRequests(seconds));
            };
        });
        return services;
    }

    // A bucket that holds a minute's worth and is filled steadily, at least one token at a time.
    internal static TokenBucketRateLimiterOptions Bucket(int perMinute) => new()
    {
        TokenLimit = perMinute,
        TokensPerPeriod = Math.Max(1, perMinute / 60),
        ReplenishmentPeriod = perMinute >= 60 ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(60.0 / perMinute),
        QueueLimit = 0,
    };

    private static string AddressOf(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
}
