using System.Globalization;
using System.Text;
using Dapper;
using Microsoft.Extensions.Primitives;

namespace Gateway.Query;

/// <summary>The parameters of a query as conditions on <c>event e</c>.</summary>
internal sealed record EventFilter(string Where, DynamicParameters Values)
{
    /// <summary>Parameters of the listing, not of the query.</summary>
    public static bool IsOfPaging(string name) => name is "perPage" or "limit" or "nextPageToken";

    /// <returns>What is wrong with the parameters, or null.</returns>
    public static string? Read(IEnumerable<KeyValuePair<string, StringValues>> query, out EventFilter filter)
    {
        var where = new StringBuilder();
        filter = new EventFilter("", new DynamicParameters());
        foreach (var (name, given) in query)
        {
            if (IsOfPaging(name))
            {
                continue;
            }
            if (given.Count > 1)
            {
                return $"{name} is given twice; several values are separated by a pipe.";
            }
            // EPCIS 2.0, SimpleEventQuery: an empty value counts as absent.
            if (given.ToString() is { Length: > 0 } text && Add(name, text, where, filter.Values) is { } wrong)
            {
                return wrong;
            }
        }
        filter = filter with { Where = where.ToString() };
        return null;
    }

    private static string? Add(string name, string text, StringBuilder where, DynamicParameters values)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            return $"{name} holds a character that no value has.";
        }
        if (EpcMatch.IsParameter(name))
        {
            if (EpcMatch.Read(name, text, out var match) is { } wrong)
            {
                return wrong;
            }
            where.Append(CultureInfo.InvariantCulture, $" and e.event_id in ({match.ToSql(values, name)})");
            return null;
        }
        switch (name)
        {
            case "eventType":
                where.Append(" and e.event_type = any(@types)");
                values.Add("types", text.Split('|'));
                return null;
            case "GE_eventTime" or "LT_eventTime":
                if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                {
                    return $"{name} is a time such as 2026-01-31T12:00:00Z.";
                }
                where.Append(CultureInfo.InvariantCulture, $" and e.event_time {(name[0] == 'G' ? ">=" : "<")} @{name}");
                values.Add(name, time.UtcDateTime);
                return null;
            default:
                return $"There is no parameter {name}.";
        }
    }
}
