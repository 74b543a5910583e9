using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Host;

/// <summary>Where the gateway listens, and how long and how much it suffers from whoever connects: before any of our code runs.</summary>
public sealed class HttpOptions
{
    public const string Section = "Http";

    [Required] public string Address { get; init; } = "127.0.0.1";

    /// <summary>When not set, GATEWAY_PORT, or 8080; 0 takes a free one.</summary>
    [Range(0, 65_535)] public int? Port { get; init; }

    /// <summary>A client that has not sent all its headers by then is cut off.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")] public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a connection may stay open without a request.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A body that comes more slowly, on average, ends with 408; half a gigabyte at this rate still takes a day and a half.</summary>
    [Range(1, 1 << 20)] public double MinBodyBytesPerSecond { get; init; } = 4096;

    /// <summary>For so long a body may come more slowly.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00")] public TimeSpan BodyGracePeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections at once; one more is closed before it is heard.</summary>
    [Range(1, 1_000_000)] public int MaxConnections { get; init; } = 10_000;

    public static HttpOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection(Section).Get<HttpOptions>() ?? new HttpOptions();
        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
        return options;
    }

    public void Apply(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = 1 << 20; // the capture endpoints lift it to their own limit
        limits.RequestHeadersTimeout = HeadersTimeout;
        limits.KeepAliveTimeout = KeepAliveTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(MinBodyBytesPerSecond, BodyGracePeriod);
        limits.MaxRequestHeaderCount = 100;
        limits.MaxRequestHeadersTotalSize = 32 << 10;
        limits.MaxConcurrentConnections = MaxConnections;
        limits.MaxConcurrentUpgradedConnections = MaxConnections; // dashboards; the limit above does not count them
        kestrel.Listen(IPAddress.TryParse(Address, out var address) ? address : throw new ValidationException("Http:Address is an IP address, such as 127.0.0.1, 0.0.0.0 or ::1."), Port ?? DefaultPort());
    }

    private static int DefaultPort() =>
        int.TryParse(Environment.GetEnvironmentVariable("GATEWAY_PORT"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 8080;
}
