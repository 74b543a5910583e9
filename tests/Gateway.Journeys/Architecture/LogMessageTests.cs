using System.Reflection;
using System.Text.RegularExpressions;
using Gateway.Database;
using Gateway.Host;
using Microsoft.Extensions.Logging;

namespace Gateway.Journeys.Architecture;

/// <summary>An event id finds one message, in the code as in a log of years ago.</summary>
public sealed partial class LogMessageTests
{
    private static List<(string Where, LoggerMessageAttribute Message)> Messages { get; } =
        [.. from assembly in (Assembly[])[typeof(GatewayDatabase).Assembly, typeof(GatewayHost).Assembly]
            from type in assembly.GetTypes()
            from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            let message = method.GetCustomAttribute<LoggerMessageAttribute>()
            where message is not null
            select ($"{type.Name}.{method.Name}", message)];

    [Fact]
    public void Every_event_id_belongs_to_one_message_and_every_message_has_one()
    {
        Assert.True(Messages.Count > 10, "The messages were not found.");
        Assert.DoesNotContain(Messages, m => m.Message.EventId <= 0);
        Assert.Equal("", string.Join("\n", Messages.GroupBy(m => m.Message.EventId).Where(g => g.Count() > 1).Select(g => $"{g.Key}: {string.Join(", ", g.Select(m => m.Where))}")));
    }

    [Fact]
    public void No_two_messages_read_the_same() =>
        Assert.Equal("", string.Join("\n", Messages.GroupBy(m => m.Message.Message).Where(g => g.Count() > 1).Select(g => string.Join(", ", g.Select(m => m.Where)))));

    [Fact]
    public void Messages_name_ids_and_codes_and_hold_no_payload_secret_or_serial() =>
        Assert.Equal("", string.Join("\n", Messages.Where(m => Secret().IsMatch(m.Message.Message)).Select(m => m.Where)));

    [GeneratedRegex(@"\{(Epc|Serial|Body|Payload|Document|Token|Key|Secret|Password|Url)\}", RegexOptions.IgnoreCase)]
    private static partial Regex Secret();
}
