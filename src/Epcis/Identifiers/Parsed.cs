using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>What became of a text: a value, or a sentence saying why not. Bad input is expected, so nothing is thrown.</summary>
public sealed record Parsed<T> where T : class
{
    internal Parsed(T value) => Value = value;

    internal Parsed(string error, string? got, string? want) => (Error, Got, Want) = (error, got, want);

    public T? Value { get; }

    /// <summary>A sentence for a person; <see langword="null"/> when there is a value.</summary>
    public string? Error { get; }

    public string? Got { get; }
    public string? Want { get; }

    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Error))]
    public bool Ok => Value is not null;

    public bool Try([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out string? error)
    {
        (value, error) = (Value, Error);
        return Ok;
    }

    internal Parsed<TNext> Then<TNext>(Func<T, Parsed<TNext>> next) where TNext : class =>
        Ok ? next(Value) : new Parsed<TNext>(Error, Got, Want);

    public static implicit operator Parsed<T>(T value) => new(value);

    public static implicit operator Parsed<T>(Refusal refusal) => new(refusal.Error, refusal.Got, refusal.Want);
}

/// <summary>Why a text is not what it should be; becomes a <see cref="Parsed{T}"/> of whatever was asked for.</summary>
public sealed record Refusal(string Error, string? Got = null, string? Want = null);
