namespace Epcis.Hashing;

/// <summary>
/// In which order an event is written before it is hashed. Both call themselves <c>ver=CBV2.0</c>, so a hash tells nobody which
/// one made it: keep the profile beside it.
/// </summary>
public enum EventHashProfile
{
    /// <summary>
    /// The order of the reference generator, which all public test vectors follow: certificationInfo is hashed, the parent
    /// comes before the objects, a type before its value, and the lists of business transactions, sources and destinations
    /// are sorted among ilmd and the extensions.
    /// </summary>
    Reference,

    /// <summary>The order of the table in CBV 2.0: without certificationInfo, the value before its type, the lists after bizLocation.</summary>
    Cbv,
}
