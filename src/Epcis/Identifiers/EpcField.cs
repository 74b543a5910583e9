namespace Epcis.Identifiers;

/// <summary>A part of a key or what stands behind it: how long it is and of which characters.</summary>
/// <param name="Ai">Its own application identifier; <see langword="null"/> when it directly follows the digits of the key.</param>
internal sealed record EpcField(string Name, string? Ai, Gs1Characters Characters, int MinLength, int MaxLength)
{
    /// <summary>Written when there is none, which no other form writes: the extension <c>0</c> of an SGLN.</summary>
    public string? Absent { get; init; }

    public bool MayBeginWithZero { get; init; } = true;

    /// <summary>Says what is wrong with a decoded text; <see langword="null"/> when nothing is.</summary>
    public ValueFinding? Refuse(ReadOnlySpan<char> text)
    {
        if (text.Length < MinLength || text.Length > MaxLength)
        {
            var want = MinLength == MaxLength ? $"{MinLength}" : $"{MinLength} to {MaxLength}";
            var unit = Characters == Gs1Characters.Numeric ? "digits" : "characters";
            return new ValueFinding(ValueCodes.Length, $"The {Name} has {text.Length} {unit}; it needs {want}.", Math.Min(text.Length, MaxLength) + 1)
            {
                Got = text.Length == 0 ? "nothing" : ValueFinding.Cut(text),
                Want = $"{want} {unit}",
            };
        }
        var foreign = Characters.IndexOfForeign(text);
        if (foreign >= 0)
        {
            return new ValueFinding(ValueCodes.Character, $"The {Name} '{ValueFinding.Cut(text)}' holds '{text[foreign]}', which is not one of {Characters.Name}.", foreign + 1)
            {
                Got = text[foreign].ToString(),
                Want = Characters.Name,
                Suggestion = text[foreign] == ' ' ? "Leave the space out; it belongs to the printing, not to the value." : null,
            };
        }
        return MayBeginWithZero || text[0] != '0'
            ? null
            : new ValueFinding(ValueCodes.Value, $"The {Name} '{ValueFinding.Cut(text)}' may not begin with a zero.", 1) { Got = "0", Want = "1 to 9 first" };
    }
}
