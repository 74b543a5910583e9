using Epcis.Events;

namespace Epcis.Formats;

/// <summary>The forms in which EPCIS documents are written.</summary>
public enum DocumentForm
{
    /// <summary>None that is known, or not known yet.</summary>
    Unknown,

    /// <summary>EPCIS 1.2 in XML; 1.0 and 1.1 have its namespace.</summary>
    Xml12,

    /// <summary>EPCIS 2.0 in XML.</summary>
    Xml20,

    /// <summary>EPCIS 2.0 in JSON-LD.</summary>
    JsonLd20,
}

/// <summary>Bounds that hold before anything is believed about a document. A breach is an error finding and ends the reading.</summary>
public sealed record ReaderLimits
{
    /// <summary>Bounds for a server that takes documents from strangers.</summary>
    public static ReaderLimits Default { get; } = new();

    /// <summary>Bytes of the whole document.</summary>
    public long MaxBytes { get; init; } = 512L << 20;

    /// <summary>Levels of nested elements, or of JSON objects and arrays.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>Attributes of one XML element, or members of one JSON object.</summary>
    public int MaxAttributes { get; init; } = 256;

    /// <summary>Characters of one XML name or JSON member name.</summary>
    public int MaxNameLength { get; init; } = 256;

    /// <summary>Characters of one text or attribute value.</summary>
    public int MaxTextLength { get; init; } = 1 << 20;

    /// <summary>Values of JSON, or elements and attributes of XML, in one event or in the header: each takes far more memory than it takes bytes.</summary>
    public int MaxValues { get; init; } = 1_000_000;

    /// <summary>Events of one document.</summary>
    public int MaxEvents { get; init; } = 1_000_000;
}

/// <summary>
/// Reads one EPCIS document forward only: <see cref="Read"/> until false; memory holds one event at a time.
/// Whatever the input, nothing is thrown for what it says: findings tell it, with their places.
/// </summary>
public abstract class EpcisReader : IDisposable
{
    /// <summary>What the document is; <see cref="DocumentForm.Unknown"/> when it is broken before that shows.</summary>
    public abstract DocumentForm Form { get; }

    /// <summary>There is no document around the one event.</summary>
    public virtual bool IsBareEvent => false;

    /// <summary>Prefixes in force within <see cref="Current"/>, prefix to namespace: those of the document, and in JSON the event's own.</summary>
    public virtual IReadOnlyDictionary<string, string> Namespaces => Header.Namespaces;

    /// <summary>What is known of the header so far; complete when <see cref="Read"/> has returned false.</summary>
    public abstract DocumentHeader Header { get; }

    /// <summary>What there is to say of the document as far as it has been read.</summary>
    public abstract Findings Findings { get; }

    /// <summary>
    /// The document cannot be read at all: not well-formed, a DOCTYPE, a limit, an encoding. Such input is refused with 400
    /// before it is accepted; other findings are the job's.
    /// </summary>
    public abstract bool IsBroken { get; }

    /// <summary>The event that the last <see cref="Read"/> found.</summary>
    public abstract EpcisEvent Current { get; }

    /// <summary>Moves to the next event; false at the end of the document or when it is broken.</summary>
    public abstract bool Read();

    /// <summary>Frees what reading needed. The stream remains the caller's.</summary>
    public abstract void Dispose();
}
