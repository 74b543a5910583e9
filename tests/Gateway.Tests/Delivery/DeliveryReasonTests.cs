using System.Text.RegularExpressions;
using Gateway.Delivery;
using Gateway.TestSupport;

namespace Gateway.Tests.Delivery;

/// <summary>Why something failed is one of a closed list, whatever the channel.</summary>
public sealed partial class DeliveryReasonTests
{
    [Fact]
    public void Every_code_that_a_channel_can_give_has_a_reason()
    {
        var codes = Directory.EnumerateFiles(Repository.File("src/Gateway/Delivery"), "*.cs", SearchOption.AllDirectories).Append(Repository.File("src/Gateway/Http/OutgoingAddress.cs"))
            .SelectMany(f => Code().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Where(c => c is not ("ok" or "running" or "waiting")).Distinct().ToList();
        Assert.True(codes.Count > 25, string.Join(", ", codes));
        Assert.Equal("", string.Join(", ", codes.Where(c => DeliveryReason.Of(c) == DeliveryReason.Other)));
        Assert.All(Enumerable.Range(300, 300), status => Assert.NotEqual(DeliveryReason.Other, DeliveryReason.Of($"http-{status}")));
    }

    [Theory]
    [InlineData("dns", null, "network.dns", "network")]
    [InlineData("http-503", null, "partner.failed", "theirs")]
    [InlineData("http-503", "exhausted", "partner.failed", "theirs")]
    [InlineData("http-429", null, "partner.busy", "theirs")]
    [InlineData("http-403", null, "credential.refused", "ours")]
    [InlineData("http-422", "refused", "partner.refused", "ours")]
    [InlineData("http-302", null, "partner.moved", "theirs")]
    [InlineData("certificate-expired", null, "tls.expired", "theirs")]
    [InlineData("unknown-outcome", "crashed", "crashed", "ours")]
    [InlineData("of-tomorrow", null, "other", "unknown")]
    public void A_code_means_one_reason_and_says_whose_it_is_to_mend(string code, string? deadReason, string reason, string side)
    {
        var found = DeliveryReason.Of(code, deadReason);
        Assert.Equal((reason, side), (found.Code, found.Side));
    }

    [Fact]
    public void The_list_is_closed_and_each_reason_is_told_in_a_sentence()
    {
        Assert.Equal(DeliveryReason.All.Count, DeliveryReason.All.Select(r => r.Code).Distinct().Count());
        Assert.All(DeliveryReason.All, r => Assert.Matches("^[A-Z].*[.]$", r.Sentence));
        Assert.All(DeliveryReason.All, r => Assert.Contains(r.Side, (string[])["ours", "theirs", "network", "unknown"]));
    }

    [GeneratedRegex("(?:Verdict\\.\\w+, \"|ForbiddenAddressException\\(\"|Bad\\(\"|[?:] \"(?=tls-))([a-z]+(?:-[a-z]+)*)\"")]
    private static partial Regex Code();
}
