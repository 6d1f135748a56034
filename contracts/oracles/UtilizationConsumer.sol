// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Creation} from "../creation/Creation.sol";
import {ILinkToken} from "../interfaces/ILinkToken.sol";
import {IOperator} from "../interfaces/IOperator.sol";
import {IUtilizationConsumer} from "../interfaces/IUtilizationConsumer.sol";

/// @title Asks Chainlink's Operator for the cluster's utilization, and keeps the last answer
contract UtilizationConsumer is IUtilizationConsumer, ReentrancyGuardTransient {
    uint256 private constant ONE = 1e18;
    /// @dev Answers of several words: the request id, then the value.
    uint256 private constant DATA_VERSION = 2;
    /// @dev CBOR as Chainlink's nodes read it, the pairs of a map without its head: get "utilization", times 1e18.
    bytes private constant QUESTION = hex"63676574" hex"6b7574696c697a6174696f6e" hex"6574696d6573" hex"1b0de0b6b3a7640000";

    /// @inheritdoc IUtilizationConsumer
    uint256 public immutable fee;
    /// @inheritdoc IUtilizationConsumer
    bytes32 public immutable specId;
    /// @inheritdoc IUtilizationConsumer
    address public immutable operator;
    /// @inheritdoc IUtilizationConsumer
    uint256 public requestCount;

    ILinkToken private immutable _link;

    uint128 private _utilization;
    uint64 private _updatedAt;
    mapping(bytes32 requestId => bool) private _pending;

    constructor(ILinkToken link, address operator_, bytes32 specId_, uint256 fee_) {
        Creation.requireAddress(address(link), "link"); // D1
        Creation.requireAddress(operator_, "operator");
        (_link, operator, specId, fee) = (link, operator_, specId_, fee_);
    }

    /// @inheritdoc IUtilizationConsumer
    function request() external nonReentrant returns (bytes32 requestId) {
        uint256 nonce = ++requestCount;
        requestId = keccak256(abi.encodePacked(address(this), nonce)); // as the operator names it
        _pending[requestId] = true;
        emit UtilizationRequested(requestId, msg.sender);
        bytes memory asked = abi.encodeCall(
            IOperator.operatorRequest, (address(0), 0, specId, this.fulfill.selector, nonce, DATA_VERSION, QUESTION)
        );
        // Chainlink's own LINK reverts where it cannot pay; another might only say so.
        if (!_link.transferFrom(msg.sender, address(this), fee)) revert FeeUnpaid(msg.sender, fee);
        if (!_link.transferAndCall(operator, fee, asked)) revert FeeUnpaid(address(this), fee);
    }

    /// @inheritdoc IUtilizationConsumer
    function fulfill(bytes32 requestId, uint256 utilization) external {
        if (msg.sender != operator) revert NotOperator(msg.sender, operator);
        if (!_pending[requestId]) revert UnknownRequest(requestId);
        if (utilization > ONE) revert UtilizationOutOfRange(utilization);
        delete _pending[requestId];
        (_utilization, _updatedAt) = (uint128(utilization), uint64(block.timestamp)); // at most 1e18
        emit UtilizationStored(requestId, utilization);
    }

    /// @inheritdoc IUtilizationConsumer
    function latest() external view returns (uint256 utilization, uint256 updatedAt) {
        return (_utilization, _updatedAt);
    }

    /// @inheritdoc IUtilizationConsumer
    function isPending(bytes32 requestId) external view returns (bool) {
        return _pending[requestId];
    }
}
