using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>What became of a text: a value, or what is wrong with it. Bad input is expected, so nothing is thrown.</summary>
public readonly struct Parsed<T> where T : class
{
    private Parsed(T? value, ValueFinding? finding) => (Value, Finding) = (value, finding);

    public T? Value { get; }

    /// <summary>Why there is no value.</summary>
    public ValueFinding? Finding { get; }

    /// <summary>A sentence for a person; <see langword="null"/> when there is a value.</summary>
    public string? Error => Finding?.Message;

    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Finding), nameof(Error))]
    public bool Ok => Value is not null;

    public bool Try([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out string? error)
    {
        (value, error) = (Value, Error);
        return Ok;
    }

    internal Parsed<TNext> Then<TNext>(Func<T, Parsed<TNext>> next) where TNext : class => Ok ? next(Value) : Finding;

    public static implicit operator Parsed<T>(T value) => new(value, null);

    public static implicit operator Parsed<T>(ValueFinding finding) => new(null, finding);
}
