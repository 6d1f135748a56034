"""What each error of the contracts means, with its values; times are seconds of the chain.

The format after a colon is the value's unit: komp (wei), duration (seconds), resource, hex, text
(32 bytes), factor (1e6 = 1.0), v (1e18 = 1.0), proposal (its state), owner (of a node; 0: it has
none).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    # Gatekeepers (R3, R4)
    "NotGovernance(address caller,address governance)": (
        "only governance ({governance}) may do this, not {caller}"
    ),
    "QuorumOutOfRange(uint256 k,uint256 n)": (
        "a quorum of {k} of {n} gatekeepers is not allowed: n/2 < k <= n"
    ),
    "AlreadyGatekeeper(address account)": "{account} is a gatekeeper already",
    "NotGatekeeper(address account)": "{account} is no gatekeeper",
    "TooFewSignatures(uint256 given,uint256 needed)": (
        "{given} signatures where the quorum needs {needed}"
    ),
    "SignaturesMalformed(uint256 length)": (
        "{length} bytes are no row of valid 65-byte signatures with s in the lower half"
    ),
    "SignersNotAscending(address previous,address signer)": (
        "signatures must ascend by signer: {signer} follows {previous}"
    ),
    # Pools (S7)
    "CommissionTooHigh(uint256 commissionBps,uint256 most)": (
        "a commission of {commissionBps} bps is above the {most} bps a pool may take"
    ),
    "OperatorIsGatekeeper(address operator)": (
        "the operator {operator} is a gatekeeper and may own no worker"
    ),
    "NotPoolOperator(address caller,address operator)": (
        "only the pool's operator {operator} may do this, not {caller}"
    ),
    "NotMember(address caller)": "{caller} has no shares of the pool",
    "PoolActive(address node)": "the pool is active: it has staked for node {node}",
    "PoolNotActive()": "the pool has no node yet",
    "PoolWithdrawn()": "the pool's stake has been withdrawn",
    "PoolClosed(uint256 assets,uint256 least)": (
        "the pool is closed for ever: {assets:komp} are left of its stake, under {least:komp}"
    ),
    "PoolFull(uint256 funding)": "the pool is funded: it has {funding:komp}",
    "PoolNotFull(uint256 funding,uint256 needed)": (
        "the pool has {funding:komp} of the {needed:komp} a node stakes"
    ),
    "SharesExceeded(uint256 amount,uint256 shares)": (
        "{amount:komp} are more than the member's {shares:komp}"
    ),
    "OperatorShareTooSmall(uint256 shares,uint256 total)": (
        "the operator would hold {shares} of {total} shares, less than 20 %"
    ),
    "NothingMissing(address node)": "node {node} has its full stake of 500 KOMP",
    "TopUpTooSmall(uint256 amount,uint256 room)": (
        "{amount:komp} do not cover the {room:komp} missing to 500 KOMP"
    ),
    "TooFewShares(uint256 shares,uint256 least)": (
        "{shares:komp} in shares are less than the {least:komp} that are due"
    ),
    "TooEarly(uint256 due,uint256 timestamp)": "this is allowed from {due} on, it is {timestamp}",
    "StakeNotReturned(address node)": "the stake of the pool's node {node} is not withdrawn yet",
    "LastCycleRuns(uint256 cycle)": (
        "the pool's node published in cycle {cycle}, which has not ended yet"
    ),
    "NothingToCollect(address member)": "nothing is due to {member}",
    # Staking (S1 to S6)
    "ZeroNode()": "the zero address stands for no node: it cannot register",
    "AlreadyRegistered(address node)": "node {node} registered before; a key registers once ever",
    "NotRegistered(address node)": "node {node} never registered",
    "HardwareTaken(bytes32 hardwareId,address by)": (
        "hardware {hardwareId:hex} belongs to the live node {by}"
    ),
    "UnknownPeriod(uint256 months)": "a stake lasts 1, 3, 6 or 12 months, not {months}",
    "AdmissionExpired(uint256 deadline,uint256 timestamp)": (
        "the admission expired at {deadline}, it is {timestamp}"
    ),
    "NotSignedByNode(address node,address signer)": (
        "node {node} has not signed its admission; whoever signed is {signer}"
    ),
    "OwnerIsGatekeeper(address owner)": "{owner} is a gatekeeper and may own no worker",
    "NotOwner(address caller,address owner)": "only {owner:owner} may do this, not {caller}",
    "NotActive(address node)": (
        "node {node} is not active: it needs 500 KOMP staked, no exit request and no ejection"
    ),
    "UnlockNotLater(uint256 unlockAt,uint256 previous)": (
        "a restake must unlock later than before: {unlockAt} is not after {previous}"
    ),
    "TopUpExceeds(uint256 amount,uint256 room)": (
        "a top-up leads back to exactly 500 KOMP: {room:komp}, not {amount:komp}"
    ),
    "NothingToTopUp(address node)": "node {node} has its full stake of 500 KOMP",
    "ExitAlreadyRequested(address node,uint256 exitAt)": (
        "node {node} requested its exit already; it may withdraw at {exitAt}"
    ),
    "ExitNotDue(uint256 exitAt,uint256 timestamp)": (
        "the stake is locked until {exitAt}, it is {timestamp}"
    ),
    "SlashPending(address node)": (
        "node {node} has an incident that is not executed yet; it blocks the withdrawal"
    ),
    "NotSlashing(address caller)": "only the slashing contract may do this, not {caller}",
    # Rewards (W1 to W4, C1 to C7)
    "NotNode(address caller,address node)": "only the node {node} may publish its V, not {caller}",
    "Suspended(address node)": "node {node} is suspended by a pending incident of level 2",
    "PublishedTooSoon(uint256 lastBlock,uint256 gap)": (
        "the node published in block {lastBlock}; two publications are {gap} blocks apart"
    ),
    "MeasuredOutOfRange(uint256 measuredBlock,uint256 lastBlock,uint256 blockNumber)": (
        "measured in block {measuredBlock}, which must lie after the last publication's "
        "{lastBlock}, before {blockNumber} and within 256 blocks"
    ),
    "MeasuredHashMismatch(uint256 measuredBlock,bytes32 given,bytes32 actual)": (
        "block {measuredBlock} has hash {actual:hex}, the result names {given:hex}"
    ),
    "WrongCycle(uint256 given,uint256 current)": (
        "the result is for cycle {given}, the current one is {current}"
    ),
    "WrongSequence(uint256 given,uint256 expected)": (
        "the result has sequence {given}, the next one is {expected}"
    ),
    "FactorOutOfRange(uint256 sgx,uint256 b,uint256 c1,uint256 c2,uint256 c3)": (
        "a factor is out of its bounds: sgx {sgx:factor}, b {b:factor}, c1 {c1:factor}, "
        "c2 {c2:factor}, c3 {c3:factor}"
    ),
    "ValueOutOfRange(uint256 v,uint256 maxV)": "V of {v:v} is not above 0 and at most {maxV:v}",
    "CycleNotEnded(uint256 cycle,uint256 current)": (
        "cycle {cycle} has not ended: the current one is {current}"
    ),
    "AlreadyClaimed(address node,uint256 cycle)": (
        "the share of node {node} in cycle {cycle} is claimed already"
    ),
    "NothingToClaim(address node)": "node {node} has nothing to claim",
    "ZeroAmount()": "the amount is 0",
    # Slashing (L1 to L7)
    "UnknownLevel(uint8 level)": "an incident of level {level} is not known here",
    "NotLive(address node)": (
        "node {node} is not live: it never registered, has withdrawn or lost its stake at level 3"
    ),
    "IntervalUnexpected(uint256 from,uint256 to)": (
        "an incident of level 3 has the second of its finding and no interval: {from} is not {to}"
    ),
    "AlreadyReported(address node)": "an incident of level 3 of node {node} was reported before",
    "IntervalTooOld(uint256 from,uint256 oldest)": (
        "the incident begins at {from}, incidents before {oldest} lapse"
    ),
    "IntervalInFuture(uint256 to,uint256 timestamp)": (
        "the incident ends at {to}, which is after now ({timestamp})"
    ),
    "IntervalEmpty(uint256 from,uint256 to)": (
        "nothing is left to charge from {from} to {to}: charged before, or after the exit request"
    ),
    "AfterExit(uint256 timestamp,uint256 exitAt)": (
        "the node's exit was due at {exitAt}, it is {timestamp}"
    ),
    "UnknownIncident(uint256 id)": "there is no incident {id}",
    "WindowOpen(uint256 until,uint256 timestamp)": (
        "the incident may be appealed or ruled on until {until}, it is {timestamp}"
    ),
    "WindowClosed(uint256 until,uint256 timestamp)": (
        "the time for it ended at {until}, it is {timestamp}"
    ),
    "AlreadyOverturned(uint256 id)": "incident {id} is overturned",
    "AlreadyAppealed(uint256 id)": "incident {id} is appealed already",
    "NotAppealed(uint256 id)": "nobody appealed incident {id}, so there is nothing to rule on",
    "NotArbiter(address caller,address arbiter)": (
        "only the arbiter {arbiter} may rule, not {caller}"
    ),
    "AlreadyExecuted(uint256 id)": "incident {id} is executed already",
    # Price feeds and pricing (O1 to O6)
    "NotTransmitter(address caller)": "only an oracle node of the feed may report, not {caller}",
    "ConfigDigestMismatch(bytes32 given,bytes32 expected)": (
        "the report is for configuration {given:hex}, this feed's is {expected:hex}"
    ),
    "StaleReport(uint40 given,uint40 latest)": (
        "epoch and round {given} do not follow the last report's {latest}"
    ),
    "ObservedOutOfRange(uint256 observedAt,uint256 latest,uint256 timestamp)": (
        "observed at {observedAt}, which must be after the last report's {latest} and not after "
        "now ({timestamp})"
    ),
    "ObservationsUnsorted(uint256 index)": "observation {index} is below the one before it",
    "WrongObservationCount(uint256 given,uint256 least,uint256 most)": (
        "{given} observations where from 2f+1 = {least} to n = {most} are needed"
    ),
    "WrongSignatureCount(uint256 given,uint256 needed)": (
        "{given} signatures where exactly f+1 = {needed} are due"
    ),
    "NotOracle(address signer)": "{signer} signed but is no oracle node of this feed",
    "DuplicateOracle(address signer)": "oracle node {signer} signed twice",
    "AnswerOutOfBounds(int256 answer,int256 min,int256 max)": (
        "an answer of {answer} is outside [{min}, {max}]"
    ),
    "NotOperator(address caller,address operator)": (
        "only the operator {operator} may do this, not {caller}"
    ),
    "FeeUnpaid(address payer,uint256 fee)": "LINK moved no fee of {fee} (1e-18) from {payer}",
    "UnknownRequest(bytes32 requestId)": (
        "no request {requestId:hex} waits for an answer: never made, or answered"
    ),
    "UtilizationOutOfRange(uint256 utilization)": ("a utilization of {utilization:v} is above 1"),
    "TooFewFresh(uint8 resource,uint256 fresh)": (
        "{resource:resource} has {fresh} fresh feeds, two are needed"
    ),
    "PriceStale(uint8 resource,uint256 storedAt)": (
        "the price of {resource:resource} was stored at {storedAt}, too long ago (0: never)"
    ),
    "KompUsdStale(address feed,uint256 heartbeat)": (
        "the KOMP/USD feed {feed} gave no answer within its bounds for {heartbeat:duration}, so "
        "nothing can be priced in KOMP"
    ),
    "FeedsMissing(uint8 resource)": "{resource:resource} has no feeds on this devnet",
    "ContingencyZero(uint256 costUsd1e18,uint256 multiplier1e18)": (
        "a contingency price of {costUsd1e18} * {multiplier1e18} / 1e36 USD comes to nothing"
    ),
    # Execution queue (G2)
    "AlreadyQueued(bytes32 proposal)": "proposal {proposal:hex} was queued before; once is all",
    "NotQueued(bytes32 proposal,uint8 state)": (
        "proposal {proposal:hex} is not queued but {state:proposal}"
    ),
    "CallsMismatch(bytes32 given,bytes32 queued)": (
        "these calls have hash {given:hex}, queued were {queued:hex}"
    ),
    "AttestationExpired(uint256 deadline,uint256 timestamp)": (
        "the tally was attested until {deadline}, it is {timestamp}"
    ),
    "TimelockOpen(uint256 due,uint256 timestamp)": (
        "the proposal may be executed at {due}, it is {timestamp}"
    ),
    "NotGuardian(address caller,address guardian)": (
        "only the guardian {guardian} may do this, not {caller}"
    ),
    "NothingRemoved(bytes32 proposal)": (
        "proposal {proposal:hex} removes no gatekeeper; any other change takes a quorum"
    ),
    "AddressEmptyCode(address target)": "there is no contract at {target}",
    "FailedCall()": "the contract that was called failed without a reason",
    # Incentive vault (I1)
    "NothingToRelease(uint256 cycle,uint256 released)": (
        "nothing is due in cycle {cycle}: {released:komp} are released already"
    ),
    # Market (M1 to M6)
    "UnknownOrder(uint256 id)": "there is no order {id}",
    "DurationOutOfRange(uint256 duration,uint256 max)": (
        "an order lasts above 0 and at most {max:duration}, not {duration:duration}"
    ),
    "ReplicasOutOfRange(uint256 replicas,uint256 max)": (
        "{replicas} replicas where the order allows {max}"
    ),
    "RateAboveMaximum(uint256 rate,uint256 max)": (
        "the rate is {rate:komp}, the order's maximum {max:komp}"
    ),
    "ZeroDeposit()": "an order needs a deposit",
    "StorageUnexpected(uint256 storageGib)": (
        "only a virtual machine has storage, here are {storageGib} GiB"
    ),
    "NotClient(address caller,address client)": (
        "only the order's client {client} may do this, not {caller}"
    ),
    "NodeNotActive(address node)": "{node} is no active node",
    "NodeSuspended(address node)": "node {node} is suspended by a pending incident",
    "AlreadyAccepted(uint256 id,address node)": "order {id} is accepted already, by {node}",
    "NotAccepted(uint256 id)": "order {id} is not accepted",
    "OrderEnded(uint256 id,uint256 end)": "order {id} ended at {end}",
    "WrongKind(uint256 id)": (
        "order {id} is of another kind (container, serverless, virtual machine)"
    ),
    "SequenceNotAbove(uint256 seq,uint256 last)": (
        "statement {seq} must come after the last one, {last}"
    ),
    "StatementTimeOutOfRange(uint256 t,uint256 earliest,uint256 latest)": (
        "the statement is for {t}, allowed is {earliest} to {latest}"
    ),
    "CounterDecreased(uint256 given,uint256 current)": (
        "a counter of {given} is below the reported {current}"
    ),
    "FinalizeNotDue(uint256 due,uint256 timestamp)": (
        "the order may be finalized at {due}, it is {timestamp}"
    ),
    "SettleFirst(uint256 id,uint256 remaining)": (
        "{remaining} statements of order {id} are not settled yet: settle first, 200 at a time"
    ),
    "AlreadyFinalized(uint256 id)": "order {id} is finalized already",
    "UnknownInvocation(uint256 invocation)": "there is no invocation {invocation}",
    "AlreadyCompleted(uint256 invocation)": "invocation {invocation} is completed already",
    # Constructors
    "TotalTooSmall(uint256 total,uint256 cycles)": (
        "{total:komp} over {cycles} cycles do not fall in every one: N(N+1) wei are the least"
    ),
    "CyclesOutOfRange(uint256 cycles)": "a vault cannot have {cycles} cycles",
    "SupplyTooLarge(uint256 supply)": "a supply of {supply:komp} is not below 2^128 wei",
    "GapOutOfRange(uint256 gapBlocks,uint256 cycleBlocks)": (
        "{gapBlocks} blocks between publications do not fit a cycle of {cycleBlocks}: "
        "1 <= g, 2g <= L/7"
    ),
    "ExitDelayTooShort(uint256 exitDelay,uint256 maxAge)": (
        "an exit delay of {exitDelay:duration} is not above the {maxAge:duration} after which "
        "incidents lapse"
    ),
    "ZeroAddress(bytes32 what)": "{what:text} cannot be the zero address (D1)",
    "ZeroValue(bytes32 what)": "{what:text} cannot be 0 (D1)",
    "TooLong(bytes32 what,uint256 given,uint256 most)": (
        "{what:text} cannot be {given:duration}, which is longer than {most:duration} (D1)"
    ),
    "OraclesOutOfRange(uint256 oracles,uint256 faulty)": (
        "{oracles} oracle nodes of which {faulty} may be faulty are not allowed"
    ),
    "BoundsOutOfOrder(int256 min,int256 max)": "a feed cannot have the bounds [{min}, {max}]",
    "ZeroRound()": "a scripted round has a number above 0",
    "DecimalsOutOfRange(address feed,uint256 given,uint256 most)": (
        "feed {feed} answers with {given} decimals, more than the {most} that can be read"
    ),
    "NoData(uint256 roundId)": "the feed has no round {roundId}",
    # OpenZeppelin and the language
    "ERC20InsufficientBalance(address sender,uint256 balance,uint256 needed)": (
        "{sender} has {balance:komp}, needed are {needed:komp}"
    ),
    "ERC20InsufficientAllowance(address spender,uint256 allowance,uint256 needed)": (
        "{spender} is allowed to move {allowance:komp}, needed are {needed:komp}"
    ),
    "ERC20InvalidSender(address sender)": "{sender} cannot send tokens",
    "ERC20InvalidReceiver(address receiver)": "{receiver} cannot receive tokens",
    "ERC20InvalidApprover(address approver)": "{approver} cannot allow anything",
    "ERC20InvalidSpender(address spender)": "{spender} cannot be allowed anything",
    "ERC2612ExpiredSignature(uint256 deadline)": "the permit expired at {deadline}",
    "ERC2612InvalidSigner(address signer,address owner)": (
        "the permit of {owner} was signed by {signer}"
    ),
    "InvalidAccountNonce(address account,uint256 currentNonce)": (
        "the permit nonce of {account} is {currentNonce}"
    ),
    "ECDSAInvalidSignature()": "the signature is invalid",
    "ECDSAInvalidSignatureLength(uint256 length)": "a signature has 65 bytes, not {length}",
    "ECDSAInvalidSignatureS(bytes32 s)": "the signature's s {s:hex} is in the upper half",
    "ReentrancyGuardReentrantCall()": "the contract was entered again while it was at work",
    "SafeERC20FailedOperation(address token)": "the token {token} failed to move",
    "SafeCastOverflowedUintDowncast(uint8 bits,uint256 value)": (
        "{value} does not fit into {bits} bits"
    ),
    "SafeCastOverflowedIntDowncast(uint8 bits,int256 value)": (
        "{value} does not fit into {bits} bits"
    ),
    "SafeCastOverflowedIntToUint(int256 value)": "{value} is negative",
    "Error(string reason)": "{reason}",
    "Panic(uint256 code)": (
        "the contract failed with panic {code} (17: overflow, 18: division by 0, 50: index)"
    ),
}
