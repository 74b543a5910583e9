using System.Buffers;
using System.Globalization;

namespace Epcis.Formats.JsonLd;

/// <summary>The formats and patterns of GS1's JSON Schema, asserted.</summary>
internal static class JsonFormats
{
    // RFC 3986, 2: unreserved characters and sub-delimiters, which stand anywhere behind a scheme.
    private const string Anywhere = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=";

    private static readonly SearchValues<char> s_host = SearchValues.Create(Anywhere);
    private static readonly SearchValues<char> s_userInfo = SearchValues.Create(Anywhere + ":");
    private static readonly SearchValues<char> s_path = SearchValues.Create(Anywhere + ":@/");
    private static readonly SearchValues<char> s_query = SearchValues.Create(Anywhere + ":@/?");

    /// <summary>RFC 3986, 3: an absolute URI; a CURIE such as <c>ex:a</c> is one.</summary>
    public static bool IsUri(ReadOnlySpan<char> text)
    {
        var colon = text.IndexOf(':');
        if (colon < 1 || !char.IsAsciiLetter(text[0]))
        {
            return false;
        }
        foreach (var c in text[1..colon])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
            {
                return false;
            }
        }
        var rest = text[(colon + 1)..];
        if (!rest.StartsWith("//") && !rest.ContainsAnyExcept(s_path))
        {
            return true; // an EPC URN, of which a list has a hundred thousand
        }
        var hash = rest.IndexOf('#');
        if (hash >= 0 && !Holds(rest[(hash + 1)..], s_query))
        {
            return false;
        }
        rest = hash >= 0 ? rest[..hash] : rest;
        var question = rest.IndexOf('?');
        if (question >= 0 && !Holds(rest[(question + 1)..], s_query))
        {
            return false;
        }
        rest = question >= 0 ? rest[..question] : rest;
        if (!rest.StartsWith("//"))
        {
            return Holds(rest, s_path);
        }
        rest = rest[2..];
        var slash = rest.IndexOf('/');
        return slash < 0 ? IsAuthority(rest) : IsAuthority(rest[..slash]) && Holds(rest[slash..], s_path);
    }

    private static bool IsAuthority(ReadOnlySpan<char> authority)
    {
        var at = authority.LastIndexOf('@');
        if (at >= 0 && !Holds(authority[..at], s_userInfo))
        {
            return false;
        }
        var host = authority[(at + 1)..];
        var port = host.LastIndexOf(':');
        if (host is ['[', ..])
        {
            var close = host.IndexOf(']');
            return close > 1
                && (IsIpv6(host[1..close]) || IsIpFuture(host[1..close]))
                && (close + 1 == host.Length || (host[close + 1] == ':' && IsDigits(host[(close + 2)..])));
        }
        return port < 0 ? Holds(host, s_host) : Holds(host[..port], s_host) && IsDigits(host[(port + 1)..]);
    }

    /// <summary>RFC 3986, 3.2.2. .NET's own parser also takes zones, single numbers and octal digits.</summary>
    private static bool IsIpv6(ReadOnlySpan<char> address)
    {
        var gap = address.IndexOf("::");
        if (gap < 0)
        {
            return Groups(address, mayEndInIpv4: true) == 8;
        }
        var before = address[..gap];
        var after = address[(gap + 2)..];
        var first = before.IsEmpty ? 0 : Groups(before, mayEndInIpv4: false);
        var last = after.IsEmpty ? 0 : Groups(after, mayEndInIpv4: true);
        return first >= 0 && last >= 0 && first + last <= 7;
    }

    /// <summary>How many groups of 16 bits there are; -1 when there is anything else.</summary>
    private static int Groups(ReadOnlySpan<char> text, bool mayEndInIpv4)
    {
        var count = 0;
        foreach (var part in text.Split(':'))
        {
            var group = text[part];
            var isLast = part.End.Value == text.Length;
            if (isLast && mayEndInIpv4 && IsIpv4(group))
            {
                return count + 2;
            }
            if (group.Length is < 1 or > 4 || !IsHex(group))
            {
                return -1;
            }
            count++;
        }
        return count;
    }

    private static bool IsIpv4(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var part in text.Split('.'))
        {
            var octet = text[part];
            if (octet.Length is < 1 or > 3 || !IsDigits(octet) || (octet.Length > 1 && octet[0] == '0') || int.Parse(octet, CultureInfo.InvariantCulture) > 255)
            {
                return false;
            }
            count++;
        }
        return count == 4;
    }

    private static bool IsIpFuture(ReadOnlySpan<char> address) =>
        address is ['v' or 'V', .. var rest] && rest.IndexOf('.') is > 0 and var dot && IsHex(rest[..dot])
        && dot + 1 < rest.Length && !rest.Contains('%') && Holds(rest[(dot + 1)..], s_userInfo);

    private static bool IsDigits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');

    /// <summary>Only characters of the set and percent escapes.</summary>
    private static bool Holds(ReadOnlySpan<char> text, SearchValues<char> allowed)
    {
        while (text.IndexOfAnyExcept(allowed) is >= 0 and var other)
        {
            if (text[other..] is not ['%', var high, var low, ..] || !char.IsAsciiHexDigit(high) || !char.IsAsciiHexDigit(low))
            {
                return false;
            }
            text = text[(other + 3)..];
        }
        return true;
    }

    /// <summary>
    /// RFC 3339, 5.6. The instant is cut, not rounded, to 100 ns; where .NET cannot hold the offset it is given in UTC.
    /// </summary>
    public static bool IsInstant(ReadOnlySpan<char> text, out DateTimeOffset instant)
    {
        instant = default;
        if (text.Length < 20 || text[4] != '-' || text[7] != '-' || text[10] is not ('T' or 't') || text[13] != ':' || text[16] != ':')
        {
            return false;
        }
        if (!Two(text, 0, out var century) || !Two(text, 2, out var year) || !Two(text, 5, out var month) || !Two(text, 8, out var day)
            || !Two(text, 11, out var hour) || !Two(text, 14, out var minute) || !Two(text, 17, out var second))
        {
            return false;
        }
        year += century * 100;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }
        var next = 19;
        long ticks = 0;
        if (text[next] == '.')
        {
            next++;
            var digits = text[next..].IndexOfAnyExceptInRange('0', '9');
            if (digits < 1)
            {
                return false;
            }
            for (var i = 0; i < 7; i++)
            {
                ticks = ticks * 10 + (i < digits ? text[next + i] - '0' : 0);
            }
            next += digits;
        }
        if (!IsZone(text[next..], out var offset))
        {
            return false;
        }
        var local = new DateTime(year, month, day, hour, minute, Math.Min(second, 59)).Ticks + ticks + (second == 60 ? TimeSpan.TicksPerSecond : 0);
        var utc = local - offset.Ticks;
        if (second == 60 && (utc / TimeSpan.TicksPerSecond) % 86400 != 0)
        {
            return false;
        }
        if (utc < 0 || utc > DateTime.MaxValue.Ticks)
        {
            return false;
        }
        instant = offset.Duration() <= TimeSpan.FromHours(14) && local >= 0 && local <= DateTime.MaxValue.Ticks
            ? new DateTimeOffset(local, offset)
            : new DateTimeOffset(utc, TimeSpan.Zero);
        return true;
    }

    private static bool IsZone(ReadOnlySpan<char> zone, out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        if (zone is "Z" or "z")
        {
            return true;
        }
        if (zone.Length != 6 || zone[0] is not ('+' or '-') || zone[3] != ':'
            || !Two(zone, 1, out var hours) || !Two(zone, 4, out var minutes) || hours > 23 || minutes > 59)
        {
            return false;
        }
        offset = new TimeSpan(hours, minutes, 0) * (zone[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool Two(ReadOnlySpan<char> text, int at, out int value) =>
        int.TryParse(text.Slice(at, 2), NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>eventTimeZoneOffset: at most fourteen hours, never <c>Z</c>.</summary>
    public static bool IsOffset(ReadOnlySpan<char> text) =>
        IsZone(text, out var offset) && text.Length == 6 && offset.Duration() <= TimeSpan.FromHours(14);

    public static bool IsUom(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterUpper(c) && !char.IsAsciiDigit(c))
            {
                return false;
            }
        }
        return text.Length is 2 or 3;
    }

    public static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigit(c))
            {
                return false;
            }
        }
        return text.Length > 0;
    }

    /// <summary>Numbers separated by single dots.</summary>
    public static bool IsVersion(ReadOnlySpan<char> text)
    {
        foreach (var part in text.Split('.'))
        {
            if (text[part].IsEmpty || !IsDigits(text[part]))
            {
                return false;
            }
        }
        return true;
    }
}
