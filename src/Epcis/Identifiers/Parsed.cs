using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>What became of a text: a value, or what is wrong with it. Bad input is expected, so nothing is thrown.</summary>
public readonly struct Parsed<T> where T : class
{
    private Parsed(T? value, ValueFinding? finding) => (Value, Finding) = (value, finding);

    /// <summary>The value; <see langword="null"/> when there is none.</summary>
    public T? Value { get; }

    /// <summary>Why there is no value.</summary>
    public ValueFinding? Finding { get; }

    /// <summary>A sentence for a person; <see langword="null"/> when there is a value.</summary>
    public string? Error => Finding?.Message;

    /// <summary>Whether there is a value.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Finding), nameof(Error))]
    public bool Ok => Value is not null;

    /// <summary>The value, or the sentence that says why there is none.</summary>
    public bool Try([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out string? error)
    {
        (value, error) = (Value, Error);
        return Ok;
    }

    internal Parsed<TNext> Then<TNext>(Func<T, Parsed<TNext>> next) where TNext : class => Ok ? next(Value) : Finding;

    /// <summary>What was read.</summary>
    public static implicit operator Parsed<T>(T value) => new(value, null);

    /// <summary>What is wrong.</summary>
    public static implicit operator Parsed<T>(ValueFinding finding) => new(null, finding);
}
