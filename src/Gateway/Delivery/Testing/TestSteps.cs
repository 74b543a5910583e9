using System.Diagnostics;
using Gateway.Delivery.Channels;
using Gateway.Partners;

namespace Gateway.Delivery.Testing;

/// <summary>The steps of a test as they are taken: each timed, and after one that failed no other.</summary>
internal sealed class TestSteps
{
    public const string Passed = "passed", Failed = "failed", NotReached = "not reached", NotApplicable = "not applicable";

    private readonly List<TestStep> _all = [];

    public IReadOnlyList<TestStep> All => _all;

    public bool HaveFailed => _all.Exists(s => s.State == Failed);

    /// <summary>Takes a step, unless one before it failed.</summary>
    /// <param name="limit">A step that lasts longer has failed.</param>
    public async Task TakeAsync(string step, TimeSpan limit, Func<CancellationToken, Task<StepOutcome>> take, CancellationToken ct)
    {
        if (HaveFailed)
        {
            Skip(step);
            return;
        }
        var begun = Stopwatch.GetTimestamp();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        end.CancelAfter(limit);
        StepOutcome outcome;
        try
        {
            outcome = await take(end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            outcome = StepOutcome.Fail("timeout", Verdict.Network, $"Nothing came within {limit.TotalSeconds:0} s.");
        }
        Add(step, outcome, (long)Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
    }

    public void Add(string step, StepOutcome outcome, long ms = 0) => _all.Add(new TestStep(step, outcome.State, ms, outcome.Seen, outcome.Code, outcome.Verdict, outcome.Code is null ? null : TestAdvice.Of(outcome.Code, outcome.Verdict!)));

    /// <summary>A step that an answer tells of, unless one before it failed.</summary>
    public void AddSent(string step, ChannelAnswer? answer, Func<ChannelAnswer, StepOutcome> judge, long ms = 0)
    {
        if (answer is null || HaveFailed)
        {
            Skip(step);
            return;
        }
        Add(step, judge(answer), ms);
    }

    public void Skip(string step) => _all.Add(new TestStep(step, NotReached, 0, "A step before it failed."));
}

/// <summary>How a step went; a failure with its code and whose side it is on.</summary>
internal sealed record StepOutcome(string State, string Seen, string? Code = null, string? Verdict = null)
{
    public static StepOutcome Pass(string seen) => new(TestSteps.Passed, seen);

    public static StepOutcome None(string seen) => new(TestSteps.NotApplicable, seen);

    public static StepOutcome Unknown(string seen) => new(TestSteps.NotReached, seen);

    public static StepOutcome Fail(string code, string verdict, string seen) => new(TestSteps.Failed, seen, code, verdict);
}

/// <summary>What to do about a failure, in a sentence.</summary>
internal static class TestAdvice
{
    public static string Of(string code, string verdict) => code switch
    {
        "dns" => "Compare the name in the address with what the partner wrote; when it is right, look whether this machine's name server knows it.",
        "private-address" => "When the partner is in a network of your own, name that network in the channel; otherwise correct the address.",
        "port-not-allowed" => "Let the operator add the port to Delivery:AllowedPorts, or agree on another one.",
        "connect" => "Ask the partner whether its server listens there and lets this gateway's address in; look whether your own firewall lets it out.",
        "timeout" => "Ask the partner whether its server is well and lets this gateway's address in, then test again.",
        "tls" => "Ask the partner which versions of TLS its server speaks: this gateway speaks 1.2 and newer.",
        "certificate-expired" => "Ask the partner to renew its certificate, then test again.",
        "certificate-not-yet-valid" => "Ask the partner to install a certificate that is valid today; look whether this machine's clock is right.",
        "certificate-name" => "Compare the name in the address with what the partner wrote; when it is right, ask for a certificate of that name.",
        "certificate-untrusted" => "Ask the partner to send its chain of certificates whole; when its issuer is one to trust, let the operator install that on this machine.",
        "host-key" => "Ask the partner, by another way, for its server's fingerprint: only when that is what was seen, set the new host key in the channel.",
        "permission-denied" => "Send the partner our public key once more and compare the user name, or set the right private key in the channel.",
        "no-key" => "Set the private key and the host key in the channel.",
        "secret" => "Set the token or key in the channel again: what is stored cannot be opened with this installation's key ring.",
        "http-401" or "http-403" => "Ask the partner for a token that is valid, and set it in the channel.",
        "http-404" or "http-405" => "Compare the path of the address with what the partner wrote.",
        "no-such-file" => "Ask the partner to make the folder, or correct the folder in the address.",
        "no-folder" or "folder-io" => "Make the folder on this machine, and let the gateway's account write there.",
        "folder-not-allowed" => "Let the operator name the root in Delivery:Folders, or choose a folder below one that is named.",
        "sftp-refused" => "Ask the partner whether our user may write and rename in that folder.",
        "no-room" => "Tell the partner that its disk is full, then test again.",
        "no-sftp-program" => "Let the operator install OpenSSH's sftp (Debian: openssh-client).",
        "busy" => "The partner's server is spoken with right now: test again in a minute.",
        "negative" => "Read what the partner answered, settle it with the partner, then send a sample again.",
        _ => verdict switch
        {
            Verdict.Ours => "Read what was answered, correct the setup or settle it with the partner, then test again.",
            Verdict.Theirs => "Tell the partner what its server answered and when, then test again.",
            _ => "Test again; when it stays so, ask the partner and your own network's people what is between.",
        },
    };
}
