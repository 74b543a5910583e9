namespace Gateway.Journeys.Devices;

/// <summary>What a device does wrong, each against one case of the contract.</summary>
[Flags]
public enum DeviceFlaw
{
    None = 0,
    NeverRegisters = 1 << 0,

    /// <summary>It speaks with the key that it registered with.</summary>
    WrongToken = 1 << 1,

    /// <summary>It says that its store is lost whenever it registers again.</summary>
    CriesLoss = 1 << 2,
    TimeWithoutZone = 1 << 3,
    SkipsNumber = 1 << 4,

    /// <summary>What it sends again has other bytes.</summary>
    RendersAnew = 1 << 5,
    NoLimit = 1 << 6,

    /// <summary>An answer with a member that it does not know is none to it.</summary>
    ReadsStrictly = 1 << 7,
    ForgetsWithoutAnswer = 1 << 8,
    ForgetsAtUnavailable = 1 << 9,
    DoesNotWait = 1 << 10,
    SameAfterTooLarge = 1 << 11,

    /// <summary>It does not send again what it is asked for and has.</summary>
    IgnoresMissing = 1 << 12,

    /// <summary>It deletes whatever had an answer and is not asked for in it.</summary>
    DeletesWhenAnswered = 1 << 13,
    RepeatsRejected = 1 << 14,
    StaysInEpoch = 1 << 15,

    /// <summary>It does nothing when it is asked for what it has deleted.</summary>
    IgnoresLoss = 1 << 16,
    BeatsSlowly = 1 << 17,
    WrongExchange = 1 << 18,
    OtherFirmware = 1 << 19,
    MonoGoesBack = 1 << 20,
    CorrectsTime = 1 << 21,
    AcknowledgesLate = 1 << 22,
    NeverCompletes = 1 << 23,
    ForgetsWhatItHeard = 1 << 24,
    ClaimsToStand = 1 << 25,
    DoesItTwice = 1 << 26,
    IgnoresFence = 1 << 27,
    ResumesByItself = 1 << 28,
    HidesItsState = 1 << 29,
}
