namespace Gateway.Host.Simulate.Hub;

/// <summary>What a sender sent, as the schema has it, with what became of it.</summary>
internal sealed class HubMessage
{
    public string CorrelationId { get; set; } = "";
    public string Kind { get; set; } = "";
    public string Sha256 { get; set; } = "";
    public string Product { get; set; } = "";
    public string Scheme { get; set; } = "";
    public int Version { get; set; }
    public string Lot { get; set; } = "";
    public string Expiry { get; set; } = "";
    public string State { get; set; } = "";
    public bool IsUndo { get; set; }
    public string Location { get; set; } = "";

    /// <summary>Of product data: what it says, without the message's own number and time.</summary>
    public string Content { get; set; } = "";

    /// <summary>That it names; of packs and states: those of the lot's version.</summary>
    public List<string> Markets { get; set; } = [];

    /// <summary>Of the serial numbers that were read.</summary>
    public int Count { get; set; }

    /// <summary>Sorted; empty again when every market has answered.</summary>
    public SerialNumber[] Serials { get; set; } = [];

    public bool IsRefused { get; set; }
    public bool IsDecided { get; set; }
    public string? Code { get; set; }
    public string? Text { get; set; }
    public Dictionary<string, (bool Failed, DateTimeOffset At)> Answers { get; } = new(StringComparer.Ordinal);
    public Dictionary<SerialNumber, HubFailure> Failures { get; } = [];

    /// <summary>Packs that failed when the message came: no market looks at them.</summary>
    public HashSet<SerialNumber> Skipped { get; } = [];

    /// <summary>Markets where it cannot be done, with the reason: known when it came.</summary>
    public Dictionary<string, (string Code, string Text)> Barred { get; } = new(StringComparer.Ordinal);

    /// <summary>Raised for it.</summary>
    public int Alerts { get; set; }

    /// <summary>Nothing about it changes any more.</summary>
    public bool IsFinal => IsRefused || (IsDecided && Answers.Count == Markets.Count);

    /// <summary>The first code and sentence are the message's.</summary>
    public void Fail(string country, DateTimeOffset at, string code, string text)
    {
        Answers[country] = (true, at);
        Code ??= code;
        Text ??= text;
    }
}

/// <summary>Why a pack failed.</summary>
/// <param name="IsTemporary">The same may succeed when it is sent again.</param>
internal readonly record struct HubFailure(string Code, bool IsTemporary);

/// <summary>A message that no rule need look at: it is refused as it stands.</summary>
internal sealed class HubRefusedException(string code, string text, string rule = "wire") : Exception(text)
{
    public string Code => code;
    public string Rule => rule;
}
