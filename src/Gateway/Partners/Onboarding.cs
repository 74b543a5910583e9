using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Partners;

/// <summary>One of the seven steps by which a partner comes to be live.</summary>
/// <param name="Step">identity, licence, profile, channel, test, sample, go-live.</param>
/// <param name="State">done, open, or not needed.</param>
/// <param name="Seen">What the records say, in a sentence.</param>
/// <param name="Missing">Of an open step: what is to be done.</param>
/// <param name="Link">Where, on the partner's page.</param>
public sealed record OnboardingStep(string Step, string State, string Seen, string? Missing, string Link);

/// <summary>The seven steps of a partner's onboarding. None is ticked by hand: each is read from the records as they are now.</summary>
public sealed class Onboarding(GatewayDatabase database)
{
    private const string GoLiveStep = "go-live";

    public async Task<IReadOnlyList<OnboardingStep>> StepsAsync(Actor reader, int partnerId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await StepsAsync(work, partnerId);
    }

    /// <summary>What must be done before the setup can be signed for go-live; none when nothing.</summary>
    internal static async Task<IReadOnlyList<OnboardingStep>> MissingAsync(Work work, int partnerId) =>
        [.. (await StepsAsync(work, partnerId)).Where(s => s is { State: "open", Step: not GoLiveStep })];

    private static async Task<IReadOnlyList<OnboardingStep>> StepsAsync(Work work, int partnerId)
    {
        if (await work.Connection.QuerySingleOrDefaultAsync<Facts>("""
            select p.name as "Name", p.version as "Version", p.live_version as "LiveVersion", p.state as "State", p.channel as "Channel", p.url as "Url", p.secret is not null as "HasSecret", p.channel_settings ->> 'hostKey' as "HostKey",
                coalesce((select string_agg(gln, ', ' order by gln) from partner_gln g where g.partner_id = p.partner_id), '') as "Glns", p.needs_licence as "NeedsLicence", licence_until(p.partner_id) as "LicensedUntil",
                (select regulation from partner_profile f where f.partner_id = p.partner_id) as "Regulation"
            from partner p where p.partner_id = @partnerId
            """, new { partnerId }, work.Transaction) is not { } f)
        {
            return [];
        }
        var tests = await PartnerTests.OfVersionAsync(work, partnerId, f.Version);
        return [Identity(f), LicenceOf(f), Profile(f), Channel(f), Test(f, tests), Sample(f, tests), Live(f)];
    }

    private static OnboardingStep Identity(Facts f) => f.Glns.Length > 0
        ? Done("identity", $"{f.Name}, GLN {f.Glns}.", "#facts")
        : Open("identity", "It has no GLN.", "Give it the GLN under which it gets goods.", "#facts");

    private static OnboardingStep LicenceOf(Facts f) => f switch
    {
        { NeedsLicence: false } => new("licence", "not needed", "It is said to need none.", null, "#licences"),
        { LicensedUntil: { } until } => Done("licence", string.Create(CultureInfo.InvariantCulture, $"Documents may go to it until {until:yyyy-MM-dd}."), "#licences"),
        _ => Open("licence", "No licence of it is valid today.", "Look it up at the authority and record the licence.", "#licences"),
    };

    private static OnboardingStep Profile(Facts f) => f.Regulation is { } regulation
        ? Done("profile", regulation == "none" ? "Its documents are under no regulation." : $"Its documents are made for {regulation}.", "#profile")
        : Open("profile", "Nobody has said what its documents must have.", "Set its profile, above all the regulation.", "#profile");

    private static OnboardingStep Channel(Facts f) => f.Channel == "sftp" && (!f.HasSecret || f.HostKey is null)
        ? Open("channel", "Its server's host key or our private key is missing.", "Set both in the channel.", "#facts")
        : Done("channel", $"{f.Channel} to {f.Url}{(f.HasSecret ? ", with a secret that is sealed" : ", without a secret")}.", "#facts");

    private static OnboardingStep Test(Facts f, IReadOnlyList<PartnerTest> tests) => tests switch
    {
        // A test without a sample takes nothing back that the last one with a sample found.
        [{ Passed: true } last, ..] when SampleOf(tests) is null or { Passed: true } => Done("test", string.Create(CultureInfo.InvariantCulture, $"The test of {last.StartedAt:yyyy-MM-dd HH:mm} UTC passed on version {f.Version}."), "#test"),
        [.., _] when (tests[0].Failure ?? SampleOf(tests)?.Failure) is { } failure => Open("test", $"The last test failed at {failure.Step}: {failure.Seen}", failure.Next, "#test"),
        _ => Open("test", string.Create(CultureInfo.InvariantCulture, $"Version {f.Version} of its setup was not tested."), "Test the connection.", "#test"),
    };

    private static OnboardingStep Sample(Facts f, IReadOnlyList<PartnerTest> tests) => SampleOf(tests) switch
    {
        { Told: { } told } confirmed => Done("sample", $"{confirmed.ConfirmedBy} noted that it has the sample: {told}", "#test"),
        { Accepted: true } accepted => Done("sample", string.Create(CultureInfo.InvariantCulture, $"It accepted the sample of {accepted.StartedAt:yyyy-MM-dd HH:mm} UTC."), "#test"),
        { Passed: true } => Open("sample", "A sample was sent, and the partner has not said that it has it.", "Ask the partner, and note what it says beside the test.", "#test"),
        { } => Open("sample", "The last sample was not taken.", "Mend what the test found, and send another.", "#test"),
        null => Open("sample", string.Create(CultureInfo.InvariantCulture, $"No sample was sent under version {f.Version} of its setup."), "Test the connection with a sample.", "#test"),
    };

    /// <summary>The last test with a sample: what the partner said to that is what it says now.</summary>
    private static PartnerTest? SampleOf(IReadOnlyList<PartnerTest> tests) => tests.FirstOrDefault(t => t.MessageId is not null);

    private static OnboardingStep Live(Facts f) =>
        f.LiveVersion == f.Version ? Done(GoLiveStep, string.Create(CultureInfo.InvariantCulture, $"Version {f.Version} is signed for go-live."), "#go-live")
        : Open(GoLiveStep, string.Create(CultureInfo.InvariantCulture, $"Version {f.Version} is not signed for go-live."), "Somebody who did not make the setup signs it.", "#go-live");

    private static OnboardingStep Done(string step, string seen, string link) => new(step, "done", seen, null, link);

    private static OnboardingStep Open(string step, string seen, string? missing, string link) => new(step, "open", seen, missing, link);

    // Properties, because dates do not come through a constructor.
    private sealed record Facts
    {
        public string Name { get; init; } = "";
        public int Version { get; init; }
        public int? LiveVersion { get; init; }
        public string State { get; init; } = "";
        public string Channel { get; init; } = "";
        public string Url { get; init; } = "";
        public bool HasSecret { get; init; }
        public string? HostKey { get; init; }
        public string Glns { get; init; } = "";
        public bool NeedsLicence { get; init; }
        public DateOnly? LicensedUntil { get; init; }
        public string? Regulation { get; init; }
    }
}
